using System.Diagnostics;
using McpSm.Core.Servers;
using McpSm.TestServers;

namespace McpSm.Relay.Tests.Interop;

/// <summary>The npm package @modelcontextprotocol/server-everything as a process on loopback.</summary>
internal sealed class EverythingServer : IAsyncDisposable
{
    private readonly Process _process;

    private EverythingServer(Process process, Uri url) => (_process, Url) = (process, url);

    public Uri Url { get; }

    public static async Task<EverythingServer> StartAsync(McpTransport transport)
    {
        var modules = Path.Combine(Repository.Root, "tests", "interop", "server-everything", "node_modules");
        var node = Path.Combine(modules, "node", "bin", OperatingSystem.IsWindows() ? "node.exe" : "node");
        Require.OrSkip(File.Exists(node), "server-everything is missing. Install it with: npm install --prefix tests/interop/server-everything");
        var port = FreePort.Find();
        var start = new ProcessStartInfo(node,
            [Path.Combine(modules, "@modelcontextprotocol", "server-everything", "dist", "index.js"), transport == McpTransport.Sse ? "sse" : "streamableHttp"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["PORT"] = $"{port}", ["TZ"] = "UTC" },
        };
        var process = Process.Start(start)!;
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        process.OutputDataReceived += (_, line) => Read(line.Data);
        process.ErrorDataReceived += (_, line) => Read(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await ready.Task.WaitAsync(TimeSpan.FromSeconds(60));
        return new EverythingServer(process, new Uri($"http://127.0.0.1:{port}/{(transport == McpTransport.Sse ? "sse" : "mcp")}"));

        void Read(string? line)
        {
            if (line?.Contains($"port {port}", StringComparison.Ordinal) == true)
            {
                ready.TrySetResult();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}

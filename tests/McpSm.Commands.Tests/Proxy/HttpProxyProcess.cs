using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text;
using McpSm.Commands.Tests.Support;

namespace McpSm.Commands.Tests.Proxy;

/// <summary>A process that runs <c>mcpsm proxy --http</c>.</summary>
internal sealed class HttpProxyProcess : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly StringBuilder _errors = new();

    private HttpProxyProcess(Process process) => _process = process;

    public Uri Url { get; private set; } = null!;

    public int Id => _process.Id;

    /// <summary>The path that the command named, and the token in it.</summary>
    public string BearerFile { get; private set; } = "";

    public string Bearer { get; private set; } = "";

    /// <summary>Everything on standard error so far.</summary>
    public string Errors
    {
        get
        {
            lock (_errors)
            {
                return _errors.ToString();
            }
        }
    }

    /// <summary>Starts the command, and waits until it serves.</summary>
    public static async Task<HttpProxyProcess> StartAsync(CliProcess mcpsm, string arguments)
    {
        var proxy = new HttpProxyProcess(mcpsm.Start(arguments.Split(' ')));
        proxy._process.ErrorDataReceived += (_, line) =>
        {
            lock (proxy._errors)
            {
                proxy._errors.AppendLine(line.Data);
            }
        };
        proxy._process.BeginErrorReadLine();
        try
        {
            var line = await proxy._process.StandardOutput.ReadLineAsync(Cancellation).AsTask().WaitAsync(Limit, Cancellation);
            proxy.Url = new Uri(line ?? throw new InvalidOperationException($"The command ended: {proxy.Errors}"));
            for (var waited = 0; !proxy.Errors.Contains(".bearer'", StringComparison.Ordinal) && waited < 500; waited++)
            {
                await Task.Delay(10, Cancellation);
            }
            proxy.BearerFile = proxy.Errors.Split('\'').Single(text => text.EndsWith(".bearer", StringComparison.Ordinal));
            proxy.Bearer = (await File.ReadAllTextAsync(proxy.BearerFile, Cancellation)).TrimEnd('\n');
            return proxy;
        }
        catch
        {
            await proxy.DisposeAsync();
            throw;
        }
    }

    /// <summary>Returns a caller with the bearer token.</summary>
    public HttpClient CreateClient()
    {
        var client = new HttpClient { Timeout = Limit };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Bearer);
        client.DefaultRequestHeaders.Accept.ParseAdd("application/json, text/event-stream");
        return client;
    }

    /// <summary>Sends a signal, and returns the exit code, and what was left on standard output.</summary>
    public async Task<(int Code, string Out)> EndAsync(string signal, TimeSpan limit)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await _process.WaitForExitAsync(Cancellation).WaitAsync(limit, Cancellation);
        return (_process.ExitCode, await _process.StandardOutput.ReadToEndAsync(Cancellation));
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }
        _process.Dispose();
    }
}

using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;
using McpSm.TestServers;

namespace McpSm.Commands.Tests.Interop;

/// <summary>The npm package mcp-remote, which signs in to a server and stores its tokens in files.</summary>
internal static partial class McpRemote
{
    private static readonly string Folder = typeof(McpRemote).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "mcp-remote").Value!;

    /// <summary>Signs in, lists the tools of the server, and ends.</summary>
    /// <param name="home">The folder of the user, in which the package makes its folder.</param>
    /// <param name="arguments">The URL and the options.</param>
    public static async Task SignInAsync(string home, params string[] arguments)
    {
        var node = Path.Combine(Folder, "node_modules", "node", "bin", OperatingSystem.IsWindows() ? "node.exe" : "node");
        Require.OrSkip(File.Exists(node), "mcp-remote is missing. Install it with: npm install --prefix tests/interop/mcp-remote");
        var start = new ProcessStartInfo(node, [Path.Combine(Folder, "node_modules", "mcp-remote", "dist", "client.js"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = home,
        };
        start.Environment["HOME"] = home;
        start.Environment["BROWSER"] = "true";
        start.Environment.Remove("DISPLAY");
        start.Environment.Remove("MCP_REMOTE_CONFIG_DIR");
        using var process = Process.Start(start)!;
        try
        {
            _ = process.StandardOutput.ReadToEndAsync(Cancellation);
            using var browser = new HttpClient();
            var log = new List<string>();
            while (await process.StandardError.ReadLineAsync(Cancellation).AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancellation) is { } line)
            {
                log.Add(line);
                if (AuthorizationUrl().Match(line) is { Success: true } url)
                {
                    using var answer = await browser.GetAsync(url.Value, Cancellation);
                }
                if (line.Contains("Tools:", StringComparison.Ordinal) || line.Contains("Exiting", StringComparison.Ordinal))
                {
                    break;
                }
            }
            if (!Directory.Exists(Path.Combine(home, ".mcp-auth")))
            {
                throw new InvalidOperationException(string.Join('\n', log));
            }
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }

    [GeneratedRegex(@"https?://\S*[?&]code_challenge=\S+")]
    private static partial Regex AuthorizationUrl();
}

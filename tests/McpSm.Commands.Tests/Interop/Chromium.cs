using System.Diagnostics;
using System.Text.Json.Nodes;
using McpSm.TestServers;
using PuppeteerSharp;

namespace McpSm.Commands.Tests.Interop;

/// <summary>A headless Chromium that <c>mcpsm</c> starts with <see cref="Browser"/> and that the test then controls.</summary>
public sealed class Chromium : IAsyncDisposable
{
    private const string Program = "/usr/bin/chromium";

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly string _profile = Directory.CreateTempSubdirectory("mcpsm-chromium-").FullName;
    private IBrowser? _browser;

    public Chromium() => Require.OrSkip(File.Exists(Program), "Chromium is missing. Install the Debian package chromium.");

    /// <summary>The command line for <c>BROWSER</c>. Only 127.0.0.1 resolves, so no request leaves this machine.</summary>
    public string Browser => $"{Program} --headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
        + "--disable-component-update --disable-sync --disable-extensions --disable-default-apps \"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1\" "
        + $"--remote-debugging-port=0 --user-data-dir={_profile} --log-net-log={NetLog} %s";

    private string NetLog => Path.Combine(_profile, "net.json");

    /// <summary>Waits until the browser has started, and returns its page.</summary>
    public async Task<IPage> PageAsync()
    {
        using var limit = new CancellationTokenSource(Longest);
        var ports = Path.Combine(_profile, "DevToolsActivePort");
        string[] lines;
        while (!File.Exists(ports) || (lines = await File.ReadAllLinesAsync(ports, limit.Token)).Length < 2)
        {
            await Task.Delay(50, limit.Token);
        }
        _browser = await Puppeteer.ConnectAsync(new ConnectOptions { BrowserWSEndpoint = $"ws://127.0.0.1:{lines[0]}{lines[1]}", DefaultViewport = null });
        while (true)
        {
            if (await _browser.PagesAsync() is [var page, ..] && page.Url.StartsWith("http", StringComparison.Ordinal))
            {
                return page;
            }
            await Task.Delay(50, limit.Token);
        }
    }

    /// <summary>
    /// Closes the browser, which completes its log, and returns the URLs of users and pages. Requests of the browser itself, such as
    /// the check for leaked passwords, have no page as their initiator, and do not resolve either.
    /// </summary>
    public async Task<IReadOnlyList<Uri>> EndAsync()
    {
        await CloseAsync();
        var log = JsonNode.Parse(await File.ReadAllTextAsync(NetLog))!;
        var started = (int)log["constants"]!["logEventTypes"]!["URL_REQUEST_START_JOB"]!;
        return [.. log["events"]!.AsArray().Where(e => (int)e!["type"]! == started).Select(e => e!["params"])
            .Where(p => p?["url"] is not null && ((string?)p["initiator"] != "not an origin" || (string?)p["request_type"] == "main frame"))
            .Select(p => new Uri((string)p!["url"]!))];
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        EndNow();
        for (var left = 100; ; left--)
        {
            try
            {
                Directory.Delete(_profile, recursive: true);
                return;
            }
            catch (IOException) when (left > 0)
            {
                // The last process of the browser still writes to the folder.
                await Task.Delay(100);
            }
        }
    }

    private async Task CloseAsync()
    {
        if (_browser is null)
        {
            return;
        }
        await _browser.CloseAsync();
        _browser = null;
        for (var left = 200; left > 0 && !IsWhole(NetLog); left--)
        {
            await Task.Delay(50);
        }
    }

    /// <summary>Kills a browser that could not be closed. Its lock is a link that names its process.</summary>
    private void EndNow()
    {
        var holder = new FileInfo(Path.Combine(_profile, "SingletonLock")).LinkTarget;
        if (holder is not null && int.TryParse(holder[(holder.LastIndexOf('-') + 1)..], out var id))
        {
            try
            {
                using var process = Process.GetProcessById(id);
                process.Kill(entireProcessTree: true);
            }
            catch (Exception e) when (e is ArgumentException or InvalidOperationException)
            {
                // The process has just ended.
            }
        }
    }

    private static bool IsWhole(string log) => File.Exists(log) && File.ReadAllText(log).TrimEnd().EndsWith('}');
}

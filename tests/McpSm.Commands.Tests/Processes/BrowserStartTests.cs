using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Processes;

/// <summary>Tests of the arguments of the browser that the executable starts, and of the next browser if the first fails.</summary>
public sealed class BrowserStartTests : IAsyncLifetime
{
    // The test does not follow the printed URL: only the browser signs in.
    private readonly CliProcess _mcpsm = new() { Follow = _ => Task.CompletedTask };
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The stand-in for a browser is a shell script.");
        Require.Programs("curl");
        _issuer = await TestIssuer.StartAsync();
        _server = await TestMcpServer.StartAsync(_issuer);
        (await _mcpsm.RunAsync($"add my-api --type http --url {_server.McpUrl}")).Done();
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await (_server?.DisposeAsync() ?? default);
        await (_issuer?.DisposeAsync() ?? default);
    }

    private string PathOf(string name) => Path.Combine(_mcpsm.Folder, name);

    /// <summary>Writes a browser that records its arguments.</summary>
    private string Browser(string name, string script)
    {
        File.WriteAllText(PathOf(name), $"printf '%s\\n' \"$@\" >> '{PathOf(name + ".arguments")}'\n{script}\n");
        return $"/bin/sh '{PathOf(name)}'";
    }

    private string[] Arguments(string name) => File.Exists(PathOf(name + ".arguments")) ? File.ReadAllLines(PathOf(name + ".arguments")) : [];

    private const string Follows = "curl -sSL -o /dev/null \"$1\"";

    [Rule(29)]
    [Fact]
    public async Task Browser_arguments_hold_only_a_start_page_and_stderr_the_full_URL()
    {
        _mcpsm.Variables["BROWSER"] = Browser("one", Follows);
        var ended = (await _mcpsm.RunAsync("auth login my-api --callback-port 0 --timeout 20")).Done();
        var start = new Uri(Assert.Single(Arguments("one")));
        Assert.Equal(("http", "127.0.0.1", ""), (start.Scheme, start.Host, start.Query));
        var shown = Assert.Single(ended.Error.Split('\n').Select(l => CliProcess.AuthorizationUrl(l.Trim())).OfType<Uri>());
        Assert.StartsWith(_issuer.Issuer, shown.AbsoluteUri);
        Assert.DoesNotContain(start.AbsoluteUri, ended.Out + ended.Error);
    }

    [Rule(29)]
    [Theory]
    [InlineData(Follows + "; exit 3")]
    [InlineData("(sleep 0.4; " + Follows + ") >/dev/null 2>&1 & exit 3")]
    public async Task Browser_that_opened_the_page_is_the_only_one_started(string script)
    {
        // In the second case the opener exits before the browser that it started opens the page.
        _mcpsm.Variables["BROWSER"] = $"{Browser("one", script)}:{Browser("two", Follows)}";
        (await _mcpsm.RunAsync("auth login my-api --callback-port 0 --timeout 20")).Done();
        Assert.Single(Arguments("one"));
        Assert.Empty(Arguments("two"));
    }

    [Rule(29)]
    [Fact]
    public async Task Next_browser_is_tried_if_the_first_fails()
    {
        _mcpsm.Variables["BROWSER"] = $"/nonexistent/browser:{Browser("one", "exit 3")}:{Browser("two", Follows)}";
        (await _mcpsm.RunAsync("auth login my-api --callback-port 0 --timeout 20")).Done();
        Assert.Equal(Arguments("one"), Arguments("two"));
    }

    [Rule(31)]
    [Fact]
    public async Task Second_browser_ends_the_sign_in_with_a_warning()
    {
        _mcpsm.Variables["BROWSER"] = Browser("one", "curl -sS -o /dev/null \"$1\"; curl -sSL -o /dev/null \"$1\"");
        var ended = await _mcpsm.RunAsync("auth login my-api --callback-port 0 --timeout 20");
        Assert.Equal(1, ended.Code);
        Assert.Contains("Two browsers opened", ended.Error);
        Assert.Contains("mcpsm auth login my-api --no-browser", ended.Error);
        Assert.Empty(_issuer.Traffic.To("/token"));
    }

    [Rule(31)]
    [Fact]
    public async Task Browser_that_returns_with_its_cookie_is_the_same_browser()
    {
        _mcpsm.Variables["BROWSER"] = Browser("one", $"curl -sS -c '{PathOf("jar")}' -o /dev/null \"$1\"; curl -sSL -b '{PathOf("jar")}' -o /dev/null \"$1\"");
        (await _mcpsm.RunAsync("auth login my-api --callback-port 0 --timeout 20")).Done();
    }
}

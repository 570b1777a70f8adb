using System.Diagnostics;
using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Proxy;

/// <summary><c>mcpsm proxy --sign-in</c> as an MCP client starts it.</summary>
public sealed class ProxySignInTests : IAsyncLifetime
{
    private const string ListTools = """{"jsonrpc":"2.0","id":1,"method":"tools/list"}""";
    private const string WithUrls = """{"elicitation":{"form":{},"url":{}}}""";

    private readonly CliProcess _mcpsm = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    private string BrowserLog => Path.Combine(_mcpsm.Folder, "browser.log");

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TestMcpServer.StartAsync(_issuer);
        (await _mcpsm.RunAsync($"add my-api --type http --url {_server.McpUrl}")).Done();
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task Client_that_opens_the_url_gets_its_tools_after_the_sign_in()
    {
        using var relay = _mcpsm.Start(["proxy", "my-api", "--sign-in"]);
        await InitializeAsync(relay, WithUrls);
        await relay.StandardInput.WriteLineAsync(ListTools);

        var question = await ReadAsync(relay);
        Assert.Equal("url", (string?)question["params"]!["mode"]);
        await relay.StandardInput.WriteLineAsync($$$"""{"jsonrpc":"2.0","id":{{{question["id"]!.ToJsonString()}}},"result":{"action":"accept"}}""");
        (await StandInBrowser.ClickThroughAsync(new Uri((string)question["params"]!["url"]!), cancellationToken: Cancellation)).Dispose();

        Assert.Equal("notifications/elicitation/complete", (string?)(await ReadAsync(relay))["method"]);
        var changed = new List<string?>();
        JsonNode line;
        while ((line = await ReadAsync(relay))["id"] is null)
        {
            changed.Add((string?)line["method"]);
        }
        Assert.NotEmpty(line["result"]!["tools"]!.AsArray());
        // The client was told of prompts and resources, which the server does not have.
        Assert.DoesNotContain("notifications/tools/list_changed", changed);
        await EndAsync(relay);
    }

    [Fact]
    public async Task Relays_that_start_at_once_open_one_browser()
    {
        Require.Programs("curl");
        UseBrowser("curl -sSL -o /dev/null \"$1\"");
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            using var relay = _mcpsm.Start(["proxy", "my-api", "--sign-in"]);
            await InitializeAsync(relay, "{}");
            await relay.StandardInput.WriteLineAsync(ListTools);
            Assert.NotEmpty((await ReadAnswerAsync(relay))["result"]!["tools"]!.AsArray());
            await EndAsync(relay);
        }));
        Assert.Single(File.ReadAllLines(BrowserLog));
        Assert.Single(_issuer.Traffic.OfGrant("authorization_code"));
    }

    [Fact]
    public async Task Sign_in_outlives_a_relay_that_is_killed()
    {
        Require.Programs("curl");
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The test reads /proc.");
        var go = Path.Combine(_mcpsm.Folder, "go");
        UseBrowser($"while [ ! -e '{go}' ]; do sleep 0.05; done; curl -sSL -o /dev/null \"$1\"");
        using var relay = _mcpsm.Start(["proxy", "my-api", "--sign-in"]);
        await InitializeAsync(relay, "{}");
        await WaitAsync(() => File.Exists(BrowserLog));
        var login = FindLogin();
        var status = File.ReadAllText($"/proc/{login}/stat");
        // The fields after the name: state, parent, group, session.
        Assert.Equal(login.ToString(), status[(status.LastIndexOf(')') + 2)..].Split(' ')[3]);
        Assert.EndsWith("auth\0login\0my-api\0--quiet\0", File.ReadAllText($"/proc/{login}/cmdline"));

        relay.Kill();
        await relay.WaitForExitAsync(Cancellation);
        File.WriteAllText(go, "");

        await WaitAsync(() => !Directory.Exists($"/proc/{login}"));
        Assert.Contains("\"my-api\":{\"vault\"", File.ReadAllText(Path.Combine(_mcpsm.Folder, "credentials.json")));
    }

    [Fact]
    public async Task Relay_that_is_killed_before_the_answer_leaves_the_question_to_the_next()
    {
        using (var first = _mcpsm.Start(["proxy", "my-api", "--sign-in"]))
        {
            await InitializeAsync(first, WithUrls);
            Assert.Equal("elicitation/create", (string?)(await ReadAsync(first))["method"]);
            first.Kill();
            await first.WaitForExitAsync(Cancellation);
        }
        using var second = _mcpsm.Start(["proxy", "my-api", "--sign-in"]);
        await InitializeAsync(second, WithUrls);
        Assert.Equal("elicitation/create", (string?)(await ReadAsync(second))["method"]);
        await EndAsync(second);
    }

    [Fact]
    public async Task Second_browser_is_not_opened_after_a_sign_in_that_failed()
    {
        UseBrowser("exit 3");
        for (var i = 0; i < 2; i++)
        {
            using var relay = _mcpsm.Start(["proxy", "my-api", "--sign-in"]);
            await InitializeAsync(relay, "{}");
            await relay.StandardInput.WriteLineAsync(ListTools);
            var error = (await ReadAnswerAsync(relay))["error"]!;
            Assert.Equal("mcpsm auth login my-api", (string?)error["data"]!["command"]);
            Assert.Contains(i == 0 ? "no browser can be opened here" : "ended a short time ago", (string?)error["message"]);
            await EndAsync(relay);
        }
        Assert.Single(File.ReadAllLines(BrowserLog));
        var note = File.ReadAllText(Path.Combine(_mcpsm.Folder, "relay", "my-api.sign-in.json"));
        Assert.Equal(["openedAt", "ended"], JsonNode.Parse(note)!.AsObject().Select(member => member.Key));
    }

    [Fact]
    public async Task Setting_of_the_server_asks_and_the_option_turns_it_off()
    {
        (await _mcpsm.RunAsync("server update my-api --relay-sign-in")).Done();
        _mcpsm.Variables["DISPLAY"] = null;
        using (var relay = _mcpsm.Start(["proxy", "my-api"]))
        {
            await InitializeAsync(relay, "{}");
            await relay.StandardInput.WriteLineAsync(ListTools);
            Assert.Contains("no browser can be opened here", (string?)(await ReadAnswerAsync(relay))["error"]!["message"]);
            await EndAsync(relay);
        }
        using var without = _mcpsm.Start(["proxy", "my-api", "--sign-in=false"]);
        await without.StandardInput.WriteLineAsync(
            """{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}""");
        Assert.NotNull((await ReadAsync(without))["error"]);
        await EndAsync(without);
    }

    [Fact]
    public async Task Removed_server_leaves_no_file_of_its_relays()
    {
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        using (var relay = _mcpsm.Start(["proxy", "my-api"]))
        {
            await InitializeAsync(relay, "{}");
            await EndAsync(relay);
        }
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(_mcpsm.Folder, "relay")));
        (await _mcpsm.RunAsync("remove my-api --yes")).Done();
        Assert.Empty(Directory.GetFiles(Path.Combine(_mcpsm.Folder, "relay")));
    }

    private static async Task<JsonNode> InitializeAsync(Process relay, string capabilities)
    {
        await relay.StandardInput.WriteLineAsync(
            """{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","clientInfo":{"name":"t","version":"1"},"capabilities":"""
            + capabilities + "}}");
        var answer = await ReadAsync(relay);
        Assert.Equal("2025-11-25", (string?)answer["result"]?["protocolVersion"]);
        await relay.StandardInput.WriteLineAsync("""{"jsonrpc":"2.0","method":"notifications/initialized"}""");
        return answer;
    }

    private static async Task<JsonNode> ReadAsync(Process relay) => JsonNode.Parse((await relay.StandardOutput.ReadLineAsync(Cancellation).AsTask()
        .WaitAsync(TimeSpan.FromSeconds(60), Cancellation))!)!;

    /// <summary>Reads the next answer, and skips notifications.</summary>
    private static async Task<JsonNode> ReadAnswerAsync(Process relay)
    {
        JsonNode line;
        while ((line = await ReadAsync(relay))["id"] is null)
        {
        }
        return line;
    }

    private static async Task WaitAsync(Func<bool> condition)
    {
        for (var began = Stopwatch.GetTimestamp(); !condition(); await Task.Delay(50, Cancellation))
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(60));
        }
    }

    /// <summary>Finds the process of the sign-in, which has the folder of this test in its environment.</summary>
    private int FindLogin() => Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => int.TryParse(name, out _)).Select(int.Parse!)
        .First(pid => Read(pid, "cmdline").Contains("\0auth\0login\0", StringComparison.Ordinal)
            && Read(pid, "environ").Contains(_mcpsm.Folder, StringComparison.Ordinal));

    private static string Read(int pid, string file)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/{file}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The process has ended, or belongs to another user.
            return "";
        }
    }

    /// <summary>Lets the command open a script, which notes that it ran.</summary>
    private void UseBrowser(string script)
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("The browser is a shell script.");
            return;
        }
        var path = Path.Combine(_mcpsm.Folder, "browser");
        File.WriteAllText(path, $"#!/bin/sh\necho opened >> '{BrowserLog}'\n{script}\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        _mcpsm.Variables["BROWSER"] = path;
    }

    private static async Task EndAsync(Process relay)
    {
        relay.StandardInput.Close();
        await relay.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        Assert.Equal(0, relay.ExitCode);
    }
}

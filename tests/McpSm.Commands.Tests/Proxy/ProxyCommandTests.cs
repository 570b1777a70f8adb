using System.Diagnostics;
using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Proxy;

/// <summary><c>mcpsm proxy</c> as an MCP client starts it.</summary>
public sealed class ProxyCommandTests : IAsyncLifetime
{
    private const string Initialize =
        """{"jsonrpc":"2.0","id":0,"method":"initialize","""
        + """ "params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}""";
    private const string Initialized = """{"jsonrpc":"2.0","method":"notifications/initialized"}""";
    private const string ListTools = """{"jsonrpc":"2.0","id":1,"method":"tools/list"}""";

    private readonly CliProcess _mcpsm = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

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
    public async Task Client_talks_to_the_server_with_the_stored_credential()
    {
        (await _mcpsm.RunAsync("auth login my-api")).Done();

        using var relay = _mcpsm.Start(["proxy", "my-api"]);
        Assert.NotNull((await AskAsync(relay, Initialize))["result"]!["protocolVersion"]);
        await relay.StandardInput.WriteLineAsync(Initialized);
        Assert.NotNull((await AskAsync(relay, ListTools))["result"]!["tools"]);

        await EndAsync(relay);
        Assert.Equal("", await relay.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken));
        Assert.Equal("", await relay.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Client_without_a_credential_gets_an_error_that_names_the_command()
    {
        using var relay = _mcpsm.Start(["proxy", "my-api"]);

        var error = (await AskAsync(relay, Initialize))["error"]!;

        Assert.Equal("mcpsm auth login my-api", (string?)error["data"]!["command"]);
        Assert.Contains("Run 'mcpsm auth login my-api', then reconnect.", (string?)error["message"]);
        Assert.Empty(_issuer.Traffic.To("/authorize"));
        await EndAsync(relay);
    }

    [Theory]
    [InlineData("server/discover")]
    [InlineData("tools/call")]
    public async Task Client_of_2026_without_a_credential_gets_the_same_error(string method)
    {
        using var relay = _mcpsm.Start(["proxy", "my-api"]);

        var error = (await AskAsync(relay, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"" + method + "\",\"params\":{\"name\":\"a\",\"_meta\":{"
            + "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{}}}}"))["error"]!;

        Assert.Equal("mcpsm auth login my-api", (string?)error["data"]!["command"]);
        Assert.Contains("Run 'mcpsm auth login my-api', then reconnect.", (string?)error["message"]);
        await EndAsync(relay);
    }

    [Fact]
    public async Task Client_with_a_rejected_refresh_token_gets_an_error_that_names_the_command()
    {
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        _issuer.Faults.Answer("/token", 400, """{"error":"invalid_grant"}""");
        _server.Introspect = _ => null;
        using var relay = _mcpsm.Start(["proxy", "my-api"]);

        var error = (await AskAsync(relay, Initialize))["error"]!;

        Assert.Equal(("mcpsm auth login my-api", 401), ((string?)error["data"]!["command"], (int)error["code"]!));
        Assert.Contains("Run 'mcpsm auth login my-api', then reconnect.", (string?)error["message"]);
        await EndAsync(relay);
    }

    [Fact]
    public async Task Client_with_a_locked_vault_gets_an_error_that_says_how_to_open_it()
    {
        _mcpsm.Variables["MCPSM_VAULT"] = "file";
        _mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = "correct horse";
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        _mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = null;
        using var relay = _mcpsm.Start(["proxy", "my-api"]);

        var error = (await AskAsync(relay, Initialize))["error"]!;

        Assert.Equal("VaultLocked", (string?)error["data"]!["reason"]);
        Assert.Contains("MCPSM_VAULT_PASSPHRASE", error.ToJsonString());
        await EndAsync(relay);
    }

    [Fact]
    public async Task Twenty_relays_of_an_expired_token_initialize_soon_and_refresh_it_once()
    {
        _issuer.Faults.RewriteJson("/token", json => json["expires_in"] = 1, times: 1);
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        await Task.Delay(TimeSpan.FromSeconds(1), Cancellation);
        var began = Stopwatch.GetTimestamp();
        var relays = Enumerable.Range(0, 20).Select(_ => _mcpsm.Start(["proxy", "my-api"])).ToList();

        var times = await Task.WhenAll(relays.Select(async relay =>
        {
            Assert.NotNull((await AskAsync(relay, Initialize))["result"]);
            return Stopwatch.GetElapsedTime(began);
        }));

        Assert.Single(_issuer.Traffic.OfGrant("refresh_token"));
        Assert.Single(_issuer.Traffic.To("/authorize"));
        TestContext.Current.SendDiagnosticMessage("initialize: median {0:0} ms, last {1:0} ms",
            times.Order().ElementAt(10).TotalMilliseconds, times.Max().TotalMilliseconds);
        // Other tests run at the same time. The native executable takes less than half a second, and the debug build compiles its code 20 times.
        var limit = TimeSpan.FromSeconds(_mcpsm.Executable.Length == 1 ? 5 : 60);
        Assert.True(times.Max() < limit, $"{times.Max()}");
        foreach (var relay in relays)
        {
            await EndAsync(relay);
            relay.Dispose();
        }
    }

    [Fact]
    public async Task Sign_in_elsewhere_is_used_by_a_relay_that_runs()
    {
        using var relay = _mcpsm.Start(["proxy", "my-api"]);
        Assert.NotNull((await AskAsync(relay, Initialize))["error"]);

        (await _mcpsm.RunAsync("auth login my-api")).Done();

        Assert.NotNull((await AskAsync(relay, Initialize))["result"]);
        await EndAsync(relay);
    }

    [Fact]
    public async Task Relays_of_one_expired_token_refresh_it_once()
    {
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        // The server forgets the token, so the first request of each relay is refused.
        _server.Introspect = token => _issuer.Traffic.OfGrant("refresh_token").Count == 0 ? null : _issuer.Server.Introspect(token);

        await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            using var relay = _mcpsm.Start(["proxy", "my-api"]);
            Assert.NotNull((await AskAsync(relay, Initialize))["result"]);
            await EndAsync(relay);
        }));

        Assert.Single(_issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Terminated_relay_ends_at_once()
    {
        Require.Programs("kill");
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        using var relay = _mcpsm.Start(["proxy", "my-api"]);
        await AskAsync(relay, Initialize);

        using var kill = Process.Start("kill", ["-TERM", $"{relay.Id}"]);

        await relay.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Client_that_no_longer_reads_ends_the_relay()
    {
        (await _mcpsm.RunAsync("auth login my-api")).Done();
        using var relay = _mcpsm.Start(["proxy", "my-api"]);
        relay.StandardOutput.Close();

        await relay.StandardInput.WriteLineAsync(Initialize);

        await relay.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Unknown_server_is_an_error_of_the_command() =>
        (await _mcpsm.RunAsync(["proxy", "unknown"])).Failed(1, "unknown");

    private static async Task<JsonNode> AskAsync(Process relay, string message)
    {
        await relay.StandardInput.WriteLineAsync(message);
        var line = await relay.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken).AsTask()
            .WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
        return JsonNode.Parse(line!)!;
    }

    private static async Task EndAsync(Process relay)
    {
        relay.StandardInput.Close();
        await relay.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(0, relay.ExitCode);
    }
}

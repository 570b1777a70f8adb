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
    private const string WithUrls = """{"elicitation":{"form":{},"url":{}}}""";

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
    public async Task Client_that_opens_the_url_gets_its_tools_after_the_sign_in()
    {
        using var relay = _mcpsm.Start(["proxy", "my-api", "--sign-in"]);
        await InitializeAsync(relay, WithUrls);
        await relay.StandardInput.WriteLineAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");

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

    private static async Task EndAsync(Process relay)
    {
        relay.StandardInput.Close();
        await relay.WaitForExitAsync(Cancellation).WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        Assert.Equal(0, relay.ExitCode);
    }
}

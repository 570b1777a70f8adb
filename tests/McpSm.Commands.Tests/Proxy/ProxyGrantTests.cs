using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Proxy;

/// <summary>The relay with the sign-ins that need no browser on this machine.</summary>
public sealed partial class ProxyGrantTests : IAsyncLifetime
{
    private const string Initialize = """{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}""";
    private const string ListTools = """{"jsonrpc":"2.0","id":1,"method":"tools/list"}""";

    private readonly CliProcess _mcpsm = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions
        {
            SupportsDeviceCode = true,
            DevicePollingInterval = TimeSpan.FromSeconds(1),
            PreRegisteredClients = [new RegisteredClient("job", "s3cr3t-of-it", [], "client_secret_basic")],
        });
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
    public async Task Client_credentials_are_used_again_by_a_relay_that_runs()
    {
        _mcpsm.Variables["MCPSM_CLIENT_ID"] = "job";
        _mcpsm.Variables["MCPSM_CLIENT_SECRET"] = "s3cr3t-of-it";
        (await _mcpsm.RunAsync("auth login my-api --client-credentials")).Done();
        // The client that starts the relay does not give it the secret.
        _mcpsm.Variables.Remove("MCPSM_CLIENT_SECRET");

        await RequireNewTokenAsync("client_credentials", 2);

        Assert.Empty(_issuer.Traffic.To("/authorize"));
    }

    [Fact]
    public async Task Sign_in_with_a_device_code_is_renewed_by_a_relay_that_runs()
    {
        _mcpsm.Follow = line =>
        {
            if (UserCode().Match(line) is { Success: true } code)
            {
                Assert.True(_issuer.Server.DecideDevice(code.Value, true));
            }
            return Task.CompletedTask;
        };
        (await _mcpsm.RunAsync("auth login my-api --device")).Done();

        await RequireNewTokenAsync("refresh_token", 1);

        Assert.Empty(_issuer.Traffic.To("/authorize"));
    }

    /// <summary>Lets the server refuse the token in the middle of a session.</summary>
    private async Task RequireNewTokenAsync(string grant, int requests)
    {
        using var relay = _mcpsm.Start(["proxy", "my-api"]);
        Assert.NotNull((await AskAsync(relay, Initialize))["result"]);
        var refused = _server.Traffic.To("/mcp")[^1].Header("Authorization")!["Bearer ".Length..];
        _server.Introspect = token => token == refused ? null : _issuer.Server.Introspect(token);

        Assert.NotNull((await AskAsync(relay, ListTools))["result"]);

        Assert.Equal(requests, _issuer.Traffic.OfGrant(grant).Count);
        relay.StandardInput.Close();
        await relay.WaitForExitAsync(Cancellation);
        Assert.Equal(0, relay.ExitCode);
    }

    private static async Task<JsonNode> AskAsync(Process relay, string message)
    {
        await relay.StandardInput.WriteLineAsync(message);
        return JsonNode.Parse((await relay.StandardOutput.ReadLineAsync(Cancellation))!)!;
    }

    [GeneratedRegex(@"(?<=^and enter the code  )\S+")]
    private static partial Regex UserCode();
}

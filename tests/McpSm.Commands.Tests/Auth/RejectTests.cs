using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>Tests of a token that the server refuses before it expires, and of a renewal that the issuer refuses.</summary>
public sealed class RejectTests : IAsyncLifetime
{
    private readonly InProcessCli _mcpsm = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TestMcpServer.StartAsync(_issuer);
        await _mcpsm.AddAsync(_server.McpUrl);
        (await _mcpsm.LoginAsync()).Done();
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task Rejected_token_from_a_pipe_is_replaced_by_the_next_call()
    {
        var first = await _mcpsm.TokenAsync();
        var ended = (await _mcpsm.RunAsync("auth reject my-api", TestConsole.Pipe(first))).Done();
        Assert.Equal("✔ The token of 'my-api' is marked as refused. The next 'mcpsm auth token' renews it.\n", ended.Out);
        Assert.DoesNotContain(first, ended.Out + ended.Error);
        (await _mcpsm.RunAsync("auth status my-api")).Done();
        var second = await _mcpsm.TokenAsync();
        Assert.NotEqual(first, second);
        ended = (await _mcpsm.RunAsync("auth reject my-api", TestConsole.Pipe(first))).Done();
        Assert.Contains("it has already been replaced", ended.Out);
        Assert.Equal(second, await _mcpsm.TokenAsync());
    }

    [Fact]
    public async Task Rejected_token_typed_at_a_terminal_is_not_shown()
    {
        var console = TestConsole.Terminal(await _mcpsm.TokenAsync());
        (await _mcpsm.RunAsync("auth reject my-api", console)).Done();
        Assert.Equal(["Token: "], console.SecretPrompts);
        (await _mcpsm.RunAsync("auth reject my-api")).Failed(4, "Standard input has no token");
    }

    [Fact]
    public async Task Token_with_renew_is_renewed_before_it_expires()
    {
        var first = await _mcpsm.TokenAsync();
        var second = (await _mcpsm.RunAsync("auth token my-api --renew")).Done().Out.Trim();
        Assert.NotEqual(first, second);
        Assert.Equal($"Authorization: Bearer {await _mcpsm.TokenAsync()}", $"Authorization: Bearer {second}");
        Assert.StartsWith("Authorization: Bearer ", (await _mcpsm.RunAsync("auth token my-api --header --renew")).Done().Out);
        Assert.Equal(2, _issuer.Traffic.OfGrant("refresh_token").Count);
    }

    [Fact]
    public async Task Token_set_by_the_user_cannot_be_renewed()
    {
        await _mcpsm.AddAsync(_server.McpUrl, "own");
        (await _mcpsm.RunAsync("auth set own -", TestConsole.Pipe("its-token"))).Done();
        (await _mcpsm.RunAsync("auth token own --renew")).Failed(4, "Mcpsm cannot renew bearer tokens", "mcpsm auth set own");
        (await _mcpsm.RunAsync("auth reject own", TestConsole.Pipe("its-token"))).Failed(4, "Mcpsm cannot renew bearer tokens", "mcpsm auth set own");
        (await _mcpsm.RunAsync("auth reject own", TestConsole.Pipe("another"))).Done();
    }

    [Fact]
    public async Task Server_named_reject_stays_usable_but_cannot_be_added()
    {
        (await _mcpsm.RunAsync($"add reject --type http --url {_server.McpUrl}")).Failed(2, "'reject' is the name of a command");
        var config = JsonNode.Parse(File.ReadAllText(_mcpsm.PathOf("config.json")))!;
        var old = config["remoteServers"]![0]!.DeepClone();
        (old["id"], old["name"]) = ("reject", "reject");
        config["remoteServers"]!.AsArray().Add(old);
        _mcpsm.Write("config.json", config.ToJsonString());
        (await _mcpsm.LoginAsync("reject")).Done();
        (await _mcpsm.RunAsync("auth reject reject", TestConsole.Pipe(await _mcpsm.TokenAsync("reject")))).Done();
    }

    [Fact]
    public async Task Refused_renewal_is_shown_by_status_and_not_repeated()
    {
        _issuer.Faults.Answer("/token", 400);
        _mcpsm.Clock.Now += TimeSpan.FromDays(400);
        for (var i = 0; i < 2; i++)
        {
            (await _mcpsm.RunAsync("auth token my-api")).Failed(4, "my-api", "mcpsm auth login my-api");
        }
        Assert.Single(_issuer.Traffic.OfGrant("refresh_token"));
        var ended = await _mcpsm.RunAsync("auth status my-api");
        Assert.Equal(4, ended.Code);
        Assert.Contains("(the issuer refused to renew it)", ended.Out);
        Assert.DoesNotContain("can be renewed", ended.Out);
        Assert.Contains("mcpsm auth login my-api", ended.Error);
        var status = await _mcpsm.StatusAsync();
        Assert.Equal(("Expired", "mcpsm auth login my-api"), ((string?)status["state"], (string?)status["remedy"]));
        Assert.NotNull((string?)status["renewalRefusedAt"]);
        (await _mcpsm.RunAsync("auth refresh my-api")).Failed(4, "did not renew the token", "mcpsm auth login my-api");
        Assert.Equal(2, _issuer.Traffic.OfGrant("refresh_token").Count);
        _issuer.Faults.Clear();
        (await _mcpsm.RunAsync("auth login-all --no-browser")).Done();
        (await _mcpsm.RunAsync("auth token my-api")).Done();
        Assert.Equal(2, _issuer.Traffic.OfGrant("refresh_token").Count);
    }
}

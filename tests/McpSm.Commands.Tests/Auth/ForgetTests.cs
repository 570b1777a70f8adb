using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>Tests of <c>mcpsm auth forget</c>, and of the errors that suggest it.</summary>
public sealed class ForgetTests : IAsyncLifetime
{
    private readonly InProcessCli _mcpsm = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TestMcpServer.StartAsync(_issuer);
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    private int Registrations => _issuer.Traffic.Count("/register");

    [Fact]
    public async Task Client_unknown_to_the_issuer_is_removed_by_the_suggested_command()
    {
        await _mcpsm.AddAsync(_server.McpUrl);
        (await _mcpsm.LoginAsync()).Done();
        _issuer.Server.ForgetClients();
        var ended = await _mcpsm.LoginAsync("my-api", "--timeout", "1");
        Assert.Equal(1, ended.Code);
        Assert.Contains("may have forgotten this client", ended.Error);
        Assert.Contains("mcpsm auth forget my-api", ended.Error);
        var forgotten = (await _mcpsm.RunAsync("auth forget my-api")).Done();
        Assert.Equal($"✔ Client registration of 'my-api' with {_issuer.Issuer} deleted.\n", forgotten.Out);
        (await _mcpsm.LoginAsync()).Done();
        Assert.Equal(2, Registrations);
    }

    [Fact]
    public async Task Forget_without_a_registration_says_so()
    {
        await _mcpsm.AddAsync(_server.McpUrl);
        Assert.Contains($"'my-api' has no client registration with {_issuer.Issuer}", (await _mcpsm.RunAsync("auth forget my-api")).Done().Error);
        await _mcpsm.AddAsync(_server.McpUrl, "own", "--client-id", "abc");
        Assert.Contains("a client id that you supplied", (await _mcpsm.RunAsync("auth forget own")).Done().Error);
        await using var open = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true });
        await _mcpsm.AddAsync(open.McpUrl, "open");
        Assert.Contains("does not ask for a sign-in", (await _mcpsm.RunAsync("auth forget open")).Done().Error);
        (await _mcpsm.RunAsync("auth forget nosuch")).Failed(1, "nosuch");
    }

    [Fact]
    public async Task Forget_with_an_unreachable_server_is_one_error()
    {
        await _mcpsm.AddAsync(new Uri("http://127.0.0.1:1/mcp"));
        (await _mcpsm.RunAsync("auth forget my-api")).Failed(1, "127.0.0.1:1");
    }

    [Fact]
    public async Task Server_named_forget_stays_usable_but_cannot_be_added()
    {
        _mcpsm.Write("config.json", $$"""{"remoteServers":[{"id":"forget","name":"forget","type":"http","url":"{{_server.McpUrl}}"}]}""");
        (await _mcpsm.LoginAsync("forget")).Done();
        Assert.Equal("Authenticated", (string)(await _mcpsm.StatusAsync("forget"))["state"]!);
        Assert.NotEmpty(await _mcpsm.TokenAsync("forget"));
        (await _mcpsm.RunAsync("server update forget --scope mcp:tools")).Done();
        (await _mcpsm.RunAsync("auth forget")).Failed(2, "server");
        (await _mcpsm.RunAsync("auth forget forget")).Done();
        (await _mcpsm.RunAsync("remove forget --yes")).Done();
        (await _mcpsm.RunAsync(["add", "Forget", "--type", "http", "--url", _server.McpUrl.AbsoluteUri])).Failed(2, "'forget' is the name of a command");
    }
}

using System.Net;
using System.Net.Sockets;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests;

public sealed class PortAndClientTests
{
    private static (TcpListener Taken, int Port) TakePort()
    {
        var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        return (taken, ((IPEndPoint)taken.LocalEndpoint).Port);
    }

    [Fact]
    public async Task Rule_26_Where_the_port_is_taken_and_the_issuer_registers_any_free_one_serves()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        var (taken, port) = TakePort();
        using (taken)
        {
            await work.Authenticator.ConnectAsync(server, new ConnectOptions { CallbackPort = port }, default);
        }
        Assert.Contains(work.Person.Notices, n => n.Contains($"Port {port} is in use"));
    }

    [Fact]
    public async Task Rules_13_26_A_client_registered_beforehand_comes_back_to_its_own_port_or_says_which_is_taken()
    {
        var (taken, port) = TakePort();
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions
        {
            SupportsRegistration = false,
            PreRegisteredClients = [new RegisteredClient("mine", null, [$"http://127.0.0.1:{port}/callback"], "none")],
        });
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl, s => s with { ClientId = "mine" });
        var options = new ConnectOptions { CallbackPort = port, Timeout = TimeSpan.FromSeconds(20) };
        using (taken)
        {
            var e = await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.ConnectAsync(server, options, default));
            Assert.Equal(ErrorReason.CallbackPortInUse, e.Reason);
            Assert.Contains(port.ToString(), e.Message);
            Assert.Contains("--callback-port", e.Remedy);
        }
        Assert.Equal(AuthState.Authenticated, (await work.Authenticator.ConnectAsync(server, options, default)).Status.State);
    }

    [Fact]
    public async Task Rule_15_A_client_registered_beforehand_is_shown_to_no_second_issuer()
    {
        var (taken, port) = TakePort();
        taken.Dispose();
        var client = new RegisteredClient("mine", null, [$"http://127.0.0.1:{port}/callback"], "none");
        await using var first = await TestIssuer.StartAsync(new AuthorizationServerOptions { PreRegisteredClients = [client] });
        await using var second = await TestIssuer.StartAsync(new AuthorizationServerOptions { PreRegisteredClients = [client] });
        await using var resource = await TestMcpServer.StartAsync(first);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl, s => s with { ClientId = "mine" });
        var options = new ConnectOptions { CallbackPort = port, Timeout = TimeSpan.FromSeconds(20) };
        await work.Authenticator.ConnectAsync(server, options, default);
        resource.Issuers = [second.Issuer];
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.ConnectAsync(server, options, default));
        Assert.Equal(ErrorReason.IssuerMismatch, e.Reason);
        Assert.Empty(second.Traffic.To("/authorize"));
        Assert.Empty(second.Traffic.To("/token"));
    }

    [Fact]
    public async Task Rule_14_An_issuer_that_refuses_to_register_is_quoted()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        issuer.Faults.Answer("/register", 400, """{"error":"invalid_redirect_uri","error_description":"not here"}""");
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server));
        Assert.Equal(ErrorReason.ClientRegistrationFailed, e.Reason);
        Assert.Contains("invalid_redirect_uri: not here", e.Message);
    }

    [Fact]
    public async Task A_vault_that_does_not_work_is_told_before_anybody_is_sent_to_sign_in()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl, s => s with { ClientId = "mine" });
        var e = await Assert.ThrowsAsync<McpAuthException>(() =>
            work.Authenticator.ConnectAsync(server, new ConnectOptions { CallbackPort = 0, Vault = "nosuch" }, default));
        Assert.Equal(ErrorReason.VaultUnavailable, e.Reason);
        Assert.Empty(work.Person.Visited);
    }

    [Fact]
    public async Task Where_nobody_can_answer_a_sign_in_fails_at_once()
    {
        using var work = new Workplace();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        work.Person.CanAnswer = false;
        Assert.Equal(ErrorReason.InteractionRequired, (await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server))).Reason);
    }

    [Fact]
    public async Task OAuth_that_is_off_names_the_command_that_turns_it_on()
    {
        using var work = new Workplace();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"), s => s with { OAuth = OAuthMode.Off });
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server));
        Assert.Equal("mcpsm server update my-api --oauth", e.Remedy);
    }
}

using System.Net;
using System.Net.Sockets;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Registration;

public sealed class PortAndClientTests
{
    private static (TcpListener Taken, int Port) TakePort()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (listener, ((IPEndPoint)listener.LocalEndpoint).Port);
    }

    [Rule(26)]
    [Fact]
    public async Task Taken_port_is_replaced_by_a_free_one_if_the_issuer_registers_clients()
    {
        await using var scene = await SignInFixture.StartAsync();
        var (listener, port) = TakePort();
        using (listener)
        {
            // A port for a single sign-in is the end of a tunnel, so another port would not work.
            Assert.Equal(ErrorReason.CallbackPortInUse, (await scene.FailsAsync(o => o with { CallbackPort = port })).Reason);
            File.WriteAllText(scene.Work.Home.PathOf("settings.json"), $$"""{"callbackPort":{{port}}}""");
            await scene.LoginAsync(o => o with { CallbackPort = null });
        }
        Assert.Contains(scene.Person.Notices, n => n.Contains($"Port {port} is in use"));
    }

    [Rule(13, 26)]
    [Fact]
    public async Task Preregistered_client_requires_its_own_port()
    {
        var (listener, port) = TakePort();
        await using var scene = await SignInFixture.StartAsync(
            new()
            {
                SupportsRegistration = false,
                PreRegisteredClients = [new RegisteredClient("mine", null, [$"http://127.0.0.1:{port}/callback"], "none")],
            },
            server: s => new(s) { ClientId = "mine" });
        using (listener)
        {
            var e = await scene.FailsAsync(o => o with { CallbackPort = port });
            Assert.Equal(ErrorReason.CallbackPortInUse, e.Reason);
            Assert.Contains(port.ToString(), e.Message);
            Assert.Contains("--callback-port", e.Remedy.InShell());
        }
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync(o => o with { CallbackPort = port })).Status.State);
    }

    [Rule(15)]
    [Fact]
    public async Task Preregistered_client_is_not_sent_to_a_second_issuer()
    {
        var (listener, port) = TakePort();
        listener.Dispose();
        var options = new AuthorizationServerOptions
        {
            PreRegisteredClients = [new RegisteredClient("mine", null, [$"http://127.0.0.1:{port}/callback"], "none")],
        };
        await using var scene = await SignInFixture.StartAsync(options, server: s => new(s) { ClientId = "mine" });
        await using var second = await TestIssuer.StartAsync(options);
        await scene.LoginAsync(o => o with { CallbackPort = port });
        scene.Resource.Issuers = [second.Issuer];
        Assert.Equal(ErrorReason.IssuerMismatch, (await scene.FailsAsync(o => o with { CallbackPort = port })).Reason);
        Assert.Empty(second.Traffic.To("/authorize"));
        Assert.Empty(second.Traffic.To("/token"));
    }

    [Rule(15)]
    [Theory]
    [InlineData(false, "second")]
    [InlineData(false, "", "second")]
    [InlineData(true, "second")]
    [InlineData(true, "", "second")]
    public async Task Secret_of_a_client_is_not_sent_for_another_client(bool plaintext, params string[] ids)
    {
        const string secret = "PLANTED-of-first";
        var (listener, port) = TakePort();
        listener.Dispose();
        await using var scene = await SignInFixture.StartAsync(new()
        {
            PreRegisteredClients = [new RegisteredClient("second", null, [$"http://127.0.0.1:{port}/callback"], "none")],
        }, server: s => new(s) { ClientId = "first", OAuth = OAuthMode.On });
        if (plaintext)
        {
            var config = scene.Work.Home.PathOf("config.json");
            File.WriteAllText(config, File.ReadAllText(config).Replace("\"clientId\": \"first\"", $"\"clientSecret\": \"{secret}\", \"clientId\": \"first\""));
        }
        else
        {
            await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { ClientSecret = secret }, Cancellation);
        }
        foreach (var id in ids)
        {
            await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { ClientId = id }, Cancellation);
        }
        await scene.LoginAsync(o => o with { CallbackPort = port });
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.NotEmpty(scene.Issuer.Traffic.OfGrant("refresh_token"));
        Assert.All(scene.Issuer.Traffic.Requests, r => Assert.True(r.Header("Authorization") is null && !r.Body.Contains("PLANTED")));
        Assert.DoesNotContain("PLANTED", File.ReadAllText(scene.Work.Home.PathOf("config.json")));
    }

    [Fact]
    public async Task Secret_set_before_or_with_its_client_is_kept()
    {
        using var work = new TestEnvironment();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        var store = work.Store;
        async Task<string?> UpdateAsync(ServerUpdate change)
        {
            server = (await work.Authenticator.Servers.UpdateAsync(server, change, default)).Server;
            return (await store.ReadRawAsync(server, default))?.ClientSecret;
        }
        work.Variables["MCPSM_VAULT"] = "file";
        Assert.Equal("one", await UpdateAsync(new ServerUpdate { ClientSecret = "one" }));
        Assert.Equal("one", await UpdateAsync(new ServerUpdate { ClientId = "first" }));
        Assert.Equal("one", await UpdateAsync(new ServerUpdate { ClientId = "first", Issuer = "https://login.example" }));
        Assert.Equal("two", await UpdateAsync(new ServerUpdate { ClientId = "second", ClientSecret = "two" }));
        Assert.Null(await UpdateAsync(new ServerUpdate { ClientId = "" }));
    }

    [Rule(15, 26)]
    [Fact]
    public async Task Repeated_sign_ins_register_once()
    {
        await using var scene = await SignInFixture.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await scene.LoginAsync();
        }
        Assert.Equal(1, scene.Issuer.Traffic.Count("/register"));
    }

    [Rule(11, 12)]
    [Fact]
    public async Task Metadata_document_is_the_client_id_if_the_issuer_supports_it()
    {
        const string document = "https://client.example/mcpsm.json";
        await using var scene = await SignInFixture.SignedInAsync(new() { SupportsClientIdMetadataDocuments = true },
            server: s => new(s) { ClientMetadataUrl = document });
        Assert.Empty(scene.Issuer.Traffic.To("/register"));
        Assert.Equal(document, Assert.Single(scene.Issuer.Traffic.To("/authorize")).QueryValue("client_id"));
    }

    [Rule(12)]
    [Theory]
    [InlineData("http://client.example/mcpsm.json")]
    [InlineData("https://client.example")]
    [InlineData("https://client.example/")]
    [InlineData("https://user@client.example/mcpsm.json")]
    [InlineData("https://client.example/mcpsm.json#a")]
    [InlineData("mcpsm.json")]
    public async Task Invalid_metadata_document_URL_is_neither_stored_nor_sent(string document)
    {
        await using var scene = await SignInFixture.StartAsync(new() { SupportsClientIdMetadataDocuments = true });
        var e = await Assert.ThrowsAsync<McpAuthException>(() =>
            scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { ClientMetadataUrl = document }, Cancellation));
        Assert.Equal(ErrorReason.InvalidValue, e.Reason);
        await scene.ChangeServerAsync(s => new(s) { ClientMetadataUrl = document });
        Assert.Equal(ErrorReason.InvalidValue, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Person.Visited);
    }

    [Rule(14)]
    [Fact]
    public async Task Refusal_of_a_registration_is_quoted()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.Answer("/register", 400, """{"error":"invalid_redirect_uri","error_description":"not here"}""");
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.ClientRegistrationFailed, e.Reason);
        Assert.Contains("invalid_redirect_uri: not here", e.Message);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task New_client_that_is_refused_is_not_tried_twice(bool document)
    {
        await using var scene = await SignInFixture.StartAsync(new() { SupportsClientIdMetadataDocuments = document },
            server: s => document ? new(s) { ClientMetadataUrl = "https://client.example/mcpsm.json" } : s);
        scene.Issuer.Faults.Answer("/token", 401, """{"error":"invalid_client"}""");
        Assert.Equal(ErrorReason.ClientRejected, (await scene.FailsAsync()).Reason);
        Assert.Single(scene.Person.Visited);
        Assert.Equal(document ? 0 : 1, scene.Issuer.Traffic.Count("/register"));
    }

    [Fact]
    public async Task Unavailable_vault_is_reported_before_the_browser_opens()
    {
        await using var scene = await SignInFixture.StartAsync(server: s => new(s) { ClientId = "mine" });
        Assert.Equal(ErrorReason.VaultUnavailable, (await scene.FailsAsync(o => o with { Vault = "nosuch" })).Reason);
        Assert.Empty(scene.Person.Visited);
    }

    [Fact]
    public async Task Sign_in_without_a_user_fails_at_once()
    {
        using var work = new TestEnvironment();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        work.Person.CanAnswer = false;
        Assert.Equal(ErrorReason.InteractionRequired, (await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server))).Reason);
    }

    [Fact]
    public async Task Sign_in_with_OAuth_off_names_the_command_that_turns_it_on()
    {
        using var work = new TestEnvironment();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"), s => new(s) { OAuth = OAuthMode.Off });
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server));
        Assert.Equal("mcpsm server update my-api --oauth", e.Remedy.InShell());
    }
}

using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Registration;

/// <summary>A working registration is replaced only after a sign-in with the new one succeeded.</summary>
public sealed class ReplacedRegistrationTests
{
    private static readonly AuthorizationServerOptions Issuing = new() { ScopesSupported = ["mcp:tools", "mcp:write"], SupportsDeviceCode = true };

    private static async Task<ClientRegistration> StoredAsync(SignInFixture scene) =>
        (await scene.Work.Store.Registrations.ReadAsync(scene.Server, scene.Issuer.Issuer, null, default))!;

    private static int Registrations(SignInFixture scene) => scene.Issuer.Traffic.Count("/register");

    private static async Task<ClientRegistration> SignInAsync(SignInFixture scene)
    {
        await scene.LoginAsync();
        return await StoredAsync(scene);
    }

    /// <summary>Requires that the first registration and credential work, and that a sign-in does not register again.</summary>
    private static async Task RequireUnharmedAsync(SignInFixture scene, ClientRegistration before)
    {
        Assert.Equal(before.Client, (await StoredAsync(scene)).Client);
        await scene.Work.New().Tokens.RenewAsync(scene.Server, default);
        var registrations = Registrations(scene);
        await scene.LoginAsync();
        Assert.Equal((registrations, before.Client), (Registrations(scene), (await StoredAsync(scene)).Client));
    }

    [Theory]
    [InlineData("denied")]
    [InlineData("cancelled")]
    [InlineData("closed browser")]
    [InlineData("refused code")]
    [InlineData("refused page")]
    public async Task Failed_sign_in_with_another_port_keeps_the_registration(string way)
    {
        await using var scene = await SignInFixture.StartAsync(Issuing);
        var before = await SignInAsync(scene);
        var port = FreePort.Find();
        using var stop = new CancellationTokenSource();
        switch (way)
        {
            case "denied":
                scene.Deny();
                break;
            case "refused code":
                scene.Issuer.Faults.Answer("/token", 400, """{"error":"invalid_request"}""", times: 1);
                break;
            case "refused page":
                scene.Issuer.Faults.Answer("/authorize", 400, "<html>The redirect URI is not allowed.</html>");
                break;
            default:
                scene.Person.Browse = _ => way == "cancelled" ? stop.CancelAsync() : Task.CompletedTask;
                break;
        }
        await Assert.ThrowsAnyAsync<Exception>(() => scene.Authenticator.SignIn.SignInAsync(scene.Server,
            new SignInOptions { CallbackPort = port, Timeout = TimeSpan.FromSeconds(2) }, stop.Token));
        Assert.Equal(2, Registrations(scene));
        scene.Person.Browse = null;
        scene.Issuer.Faults.Clear();
        await RequireUnharmedAsync(scene, before);
    }

    [Fact]
    public async Task Process_that_ends_during_the_sign_in_keeps_the_registration()
    {
        await using var scene = await SignInFixture.StartAsync(Issuing);
        var before = await SignInAsync(scene);
        using var stop = new CancellationTokenSource();
        ClientIdentity? meanwhile = null;
        scene.Person.Browse = async _ =>
        {
            // Another process that reads the vault now finds the state that a kill would leave.
            meanwhile = (await StoredAsync(scene)).Client;
            await stop.CancelAsync();
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.Authenticator.SignIn.SignInAsync(scene.Server,
            new SignInOptions { CallbackPort = FreePort.Find(), Timeout = TimeSpan.FromSeconds(10) }, stop.Token));
        scene.Person.Browse = null;
        Assert.Equal(before.Client, meanwhile);
        Assert.Equal(2, Registrations(scene));
        await RequireUnharmedAsync(scene, before);
    }

    [Fact]
    public async Task Next_attempt_with_the_other_port_uses_the_client_of_the_failed_one()
    {
        await using var scene = await SignInFixture.StartAsync(Issuing);
        var before = await SignInAsync(scene);
        var port = FreePort.Find();
        for (var i = 0; i < 3; i++)
        {
            scene.Deny();
            await scene.FailsAsync(o => o with { CallbackPort = port });
            Assert.Equal(before.Client, (await StoredAsync(scene)).Client);
        }
        scene.Issuer.Faults.Clear();
        await scene.LoginAsync(o => o with { CallbackPort = port });
        var after = await StoredAsync(scene);
        Assert.Equal((2, port, null), (Registrations(scene), Assert.Single(after.Ports), after.Candidate));
        Assert.NotEqual(before.Client, after.Client);
        await scene.LoginAsync();
        Assert.Equal(2, Registrations(scene));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Forgotten_client_stays_until_another_client_has_signed_in(bool device)
    {
        await using var scene = await SignInFixture.StartAsync(Issuing, clock: new ManualTimeProvider());
        scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, true));
        var before = await SignInAsync(scene);
        // The issuer rejects the client once, and the user then denies the sign-in with the new client.
        scene.Issuer.Faults.Answer(device ? "/device_authorization" : "/token", 401, """{"error":"invalid_client"}""", times: 1);
        if (device)
        {
            scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, false));
        }
        else
        {
            scene.Person.Browse = async url =>
            {
                scene.Person.Browse = null;
                using var answer = await StandInBrowser.ClickThroughAsync(url, cancellationToken: CancellationToken.None);
                scene.Deny();
            };
        }
        Assert.Equal(ErrorReason.AuthorizationDenied, (await scene.FailsAsync(o => o with { UseDeviceCode = device })).Reason);
        var stored = await StoredAsync(scene);
        Assert.Equal((2, before.Client), (Registrations(scene), stored.Client));
        Assert.NotNull(stored.Candidate);
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        scene.Issuer.Faults.Clear();
        scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, true));
        // The next sign-in uses the client that was registered for the failed one.
        await scene.LoginAsync(o => o with { UseDeviceCode = device });
        Assert.Equal((2, stored.Candidate!.Client), (Registrations(scene), (await StoredAsync(scene)).Client));
    }

    [Fact]
    public async Task Registration_for_more_scopes_takes_over_only_after_the_sign_in()
    {
        await using var scene = await SignInFixture.StartAsync(Issuing);
        var before = await SignInAsync(scene);
        scene.Resource.Scope = "mcp:write";
        void Refuse() => scene.Issuer.Faults.RewriteRedirect("/authorize", location =>
        {
            var client = scene.Issuer.Traffic.To("/authorize")[^1].QueryValue("client_id");
            var error = client == before.Client.Id ? "invalid_scope" : "access_denied";
            return location.Replace("code=", $"error={error}&was=");
        });
        Refuse();
        Assert.Equal(ErrorReason.AuthorizationDenied, (await scene.FailsAsync()).Reason);
        Assert.Equal((2, before.Client), (Registrations(scene), (await StoredAsync(scene)).Client));
        // The same request does not register again.
        Assert.Equal(ErrorReason.AuthorizationDenied, (await scene.FailsAsync()).Reason);
        Assert.Equal(2, Registrations(scene));
        scene.Issuer.Faults.Clear();
        await RequireUnharmedAsync(scene, before);
    }

    [Fact]
    public async Task Renewal_with_an_unknown_client_keeps_the_registration()
    {
        await using var scene = await SignInFixture.StartAsync(Issuing);
        var before = await SignInAsync(scene);
        scene.Issuer.Faults.Answer("/token", 401, """{"error":"invalid_client"}""", times: 1);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal(before.Client, (await StoredAsync(scene)).Client);
        scene.Issuer.Faults.Answer("/register", 503, "");
        await scene.LoginAsync();
        Assert.Equal(before.Client, (await StoredAsync(scene)).Client);
    }

    [Fact]
    public async Task Client_of_a_failed_sign_in_that_the_issuer_forgets_is_dropped()
    {
        await using var scene = await SignInFixture.StartAsync(Issuing);
        var before = await SignInAsync(scene);
        var port = FreePort.Find();
        scene.Deny();
        await scene.FailsAsync(o => o with { CallbackPort = port });
        scene.Issuer.Faults.Clear();
        scene.Issuer.Faults.Answer("/token", 401, """{"error":"invalid_client"}""", times: 1);
        await scene.LoginAsync(o => o with { CallbackPort = port });
        Assert.Equal((3, null), (Registrations(scene), (await StoredAsync(scene)).Candidate));
        Assert.NotEqual(before.Client, (await StoredAsync(scene)).Client);
    }
}

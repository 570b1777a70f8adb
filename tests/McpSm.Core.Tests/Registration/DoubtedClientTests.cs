using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Registration;

/// <summary>A registration that the issuer may have forgotten although it never answers invalid_client.</summary>
public sealed class DoubtedClientTests
{
    private static async Task<string?> StoredClientAsync(SignInFixture scene) =>
        (await scene.Work.Store.Registrations.ReadAsync(scene.Server, scene.Issuer.Issuer, null, default))?.Client.Id;

    private static int Registrations(SignInFixture scene) => scene.Issuer.Traffic.Count("/register");

    private static SignInOptions Briefly(SignInOptions options) => options with { Timeout = TimeSpan.FromSeconds(1) };

    private static void IgnoreBrowser(SignInFixture scene) => scene.Person.Browse = _ => Task.CompletedTask;

    [Fact]
    public async Task Error_page_of_the_issuer_makes_the_next_sign_in_register()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Server.ForgetClients();
        var failure = await scene.FailsAsync(Briefly);
        Assert.Equal((ErrorReason.AuthenticationTimeout, "mcpsm auth login my-api --timeout <seconds>"), (failure.Reason, failure.Remedy.InShell()));
        Assert.Contains("The next sign-in registers a new one", failure.Message);
        // Another process reads the mark of this one.
        await scene.Work.New().SignIn.SignInAsync(scene.Server, TestEnvironment.SignIn, Cancellation);
        Assert.Equal(2, Registrations(scene));
        await scene.LoginAsync();
        Assert.Equal(2, Registrations(scene));
    }

    [Fact]
    public async Task Slow_user_does_not_cost_the_registration()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var before = await StoredClientAsync(scene);
        IgnoreBrowser(scene);
        await scene.FailsAsync(Briefly);
        await scene.FailsAsync(Briefly);
        Assert.Equal(2, Registrations(scene));
        Assert.Equal(before, await StoredClientAsync(scene));
        scene.Person.Browse = null;
        await scene.LoginAsync();
        var after = await StoredClientAsync(scene);
        Assert.NotEqual(before, after);
        Assert.NotNull(after);
        // The old credential includes its client, so its tokens can still be renewed.
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        await scene.LoginAsync();
        // The next sign-in used the client of the failed one.
        Assert.Equal((2, after), (Registrations(scene), await StoredClientAsync(scene)));
    }

    [Fact]
    public async Task Issuer_that_refuses_to_register_again_gets_the_old_client()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        IgnoreBrowser(scene);
        await scene.FailsAsync(Briefly);
        scene.Person.Browse = null;
        scene.Issuer.Faults.Answer("/register", 403, """{"error":"access_denied"}""");
        await scene.LoginAsync();
        Assert.Contains(scene.Person.Notices, n => n.Contains("of an earlier sign-in once more"));
        scene.Issuer.Faults.Clear();
        scene.Issuer.Traffic.Clear();
        await scene.LoginAsync();
        Assert.Equal(0, Registrations(scene));
    }

    [Theory]
    [InlineData(422, "")]
    [InlineData(400, "")]
    [InlineData(404, "<html>")]
    [InlineData(401, "<html>not here</html>")]
    [InlineData(400, """{"error":"invalid_request"}""")]
    [InlineData(400, """{"error":"invalid_grant"}""")]
    [InlineData(403, """{"error":"client_not_found"}""")]
    [InlineData(422, """{"message":"unknown application"}""")]
    public async Task Client_error_for_the_code_makes_the_next_sign_in_register(int status, string body)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Answer("/token", status, body, times: 1);
        await scene.FailsAsync();
        Assert.Contains(scene.Person.Notices, n => n.Contains("The next sign-in registers a new one"));
        Assert.Equal(1, Registrations(scene));
        await scene.LoginAsync();
        Assert.Equal(2, Registrations(scene));
    }

    [Theory]
    [InlineData(429, "")]
    [InlineData(408, "")]
    [InlineData(503, "")]
    [InlineData(400, """{"error":"temporarily_unavailable"}""")]
    [InlineData(400, """{"error":"invalid_target"}""")]
    [InlineData(400, """{"error":"access_denied"}""")]
    [InlineData(200, """{"error":"invalid_request"}""")]
    public async Task Other_error_for_the_code_keeps_the_registration(int status, string body)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Answer("/token", status, body, times: 1);
        await scene.FailsAsync();
        await scene.LoginAsync();
        Assert.Equal(1, Registrations(scene));
    }

    [Theory]
    [InlineData(422, "", 2)]
    [InlineData(400, """{"error":"invalid_request"}""", 2)]
    [InlineData(400, """{"error":"invalid_scope"}""", 1)]
    [InlineData(503, "", 1)]
    public async Task Client_error_for_a_renewal_makes_the_next_sign_in_register(int status, string body, int registrations)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Answer("/token", status, body, times: 1);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        await scene.LoginAsync();
        Assert.Equal(registrations, Registrations(scene));
    }

    [Fact]
    public async Task Denied_sign_in_keeps_the_registration()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Deny();
        Assert.Equal(ErrorReason.AuthorizationDenied, (await scene.FailsAsync()).Reason);
        scene.Issuer.Faults.Clear();
        await scene.LoginAsync();
        Assert.Equal(1, Registrations(scene));
    }

    [Fact]
    public async Task Ctrl_C_keeps_the_registration()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        using var stop = new CancellationTokenSource();
        scene.Person.Browse = _ => stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            scene.Authenticator.SignIn.SignInAsync(scene.Server, new SignInOptions { CallbackPort = 0 }, stop.Token));
        scene.Person.Browse = null;
        await scene.LoginAsync();
        Assert.Equal(1, Registrations(scene));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Timeout_without_a_start_link_explains_how_to_forget_the_client(bool noBrowser)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Person.OpensBrowser = false;
        var failure = await scene.FailsAsync(o => Briefly(o) with { NoBrowser = noBrowser });
        Assert.Equal((ErrorReason.AuthenticationTimeout, "mcpsm auth forget my-api"), (failure.Reason, failure.Remedy.InShell()));
        Assert.Contains("may have forgotten this client", failure.Message);
        scene.Person.OpensBrowser = true;
        await scene.LoginAsync();
        Assert.Equal(1, Registrations(scene));
    }

    [Fact]
    public async Task Device_timeout_explains_how_to_forget_the_client()
    {
        await using var scene = await SignInFixture.SignedInAsync(new() { SupportsDeviceCode = true });
        var failure = await scene.FailsAsync(o => Briefly(o) with { UseDeviceCode = true });
        Assert.Equal((ErrorReason.AuthenticationTimeout, "mcpsm auth forget my-api"), (failure.Reason, failure.Remedy.InShell()));
        scene.Issuer.Faults.Answer("/device_authorization", 422, "", times: 1);
        await scene.FailsAsync(o => Briefly(o) with { UseDeviceCode = true });
        await scene.LoginAsync();
        Assert.Equal(2, Registrations(scene));
    }

    [Fact]
    public async Task Timeout_of_a_first_sign_in_does_not_doubt_the_client()
    {
        await using var scene = await SignInFixture.StartAsync();
        IgnoreBrowser(scene);
        var failure = await scene.FailsAsync(o => Briefly(o) with { NoBrowser = true });
        Assert.DoesNotContain("forget", failure.Message + failure.Remedy.InShell());
        await scene.FailsAsync(Briefly);
        scene.Person.Browse = null;
        Assert.DoesNotContain("forgotten", failure.Message);
    }

    [Fact]
    public async Task Doubt_about_a_replaced_client_is_ignored()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.Work.Store.Registrations.MarkDoubtedAsync(scene.Issuer.Issuer, "another-client", Cancellation);
        await scene.LoginAsync();
        Assert.Equal(1, Registrations(scene));
    }

    [Fact]
    public async Task Forget_client_removes_the_registration_and_keeps_the_tokens()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        Assert.Equal(new RemovedRegistration(scene.Issuer.Issuer, true), await scene.Authenticator.Registrations.RemoveAsync(scene.Server, Cancellation));
        Assert.Null(await StoredClientAsync(scene));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal(new RemovedRegistration(scene.Issuer.Issuer, false), await scene.Authenticator.Registrations.RemoveAsync(scene.Server, Cancellation));
        await scene.LoginAsync();
        Assert.Equal(2, Registrations(scene));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Forget_client_finds_the_issuer_of_a_signed_out_server(bool isOfBefore)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: true, Cancellation);
        if (isOfBefore)
        {
            // Earlier versions recorded no registrations, so the server is asked for its issuer.
            File.WriteAllText(scene.Work.Home.PathOf("credentials.json"), """{"version":1,"servers":{}}""");
        }
        scene.Issuer.Traffic.Clear();
        Assert.Equal(new RemovedRegistration(scene.Issuer.Issuer, true), await scene.Work.New().Registrations.RemoveAsync(scene.Server, Cancellation));
        Assert.Equal(isOfBefore, scene.Issuer.Traffic.Requests.Count > 0);
        Assert.Null(await StoredClientAsync(scene));
    }

    [Fact]
    public async Task Forget_client_uses_the_pinned_issuer_first()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.ChangeServerAsync(s => new(s) { Issuer = "https://other.example" });
        Assert.Equal(new RemovedRegistration("https://other.example", false), await scene.Authenticator.Registrations.RemoveAsync(scene.Server, Cancellation));
        Assert.NotNull(await StoredClientAsync(scene));
    }

    [Fact]
    public async Task Registration_is_removed_with_the_last_server_that_uses_it()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await using var resource = await TestMcpServer.StartAsync(scene.Issuer);
        var other = await scene.Work.AddAsync(resource.McpUrl, s => new(s) { Name = "other" });
        await scene.Work.LoginAsync(other);
        Assert.Equal(1, Registrations(scene));
        await scene.Authenticator.SignIn.SignOutAsync(other, local: true, Cancellation);
        var server = scene.Server;
        await scene.Authenticator.Servers.RemoveAsync(server, Cancellation);
        Assert.NotNull(await scene.Work.Store.Registrations.ReadAsync(other, scene.Issuer.Issuer, null, Cancellation));
        Assert.DoesNotContain("my-api", File.ReadAllText(scene.Work.Home.PathOf("credentials.json")));
        await scene.Work.New().Servers.RemoveAsync(other, Cancellation);
        Assert.Null(await scene.Work.Store.Registrations.ReadAsync(other, scene.Issuer.Issuer, null, Cancellation));
        Assert.DoesNotContain(scene.Person.Warnings, n => n.Contains("could not be removed"));
    }

    [Fact]
    public async Task Registration_moves_to_another_vault_with_its_doubt()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        IgnoreBrowser(scene);
        await scene.FailsAsync(Briefly);
        var other = new MemoryVault();
        var auth = MemoryVault.CreateAuthenticator(scene.Work, other);
        await auth.Vaults.MoveToAsync("memory", Cancellation);
        Assert.Equal(2, other.Items.Count);
        var facts = Assert.Single(scene.Work.Store.Index.ReadRegistrations()).Value;
        Assert.Equal(("memory", scene.Server.Id), (facts.Vault, Assert.Single(facts.Servers)));
        Assert.NotNull(facts.DoubtedClient);
        await auth.SignIn.SignOutAsync(scene.Server, local: true, Cancellation);
        Assert.True((await auth.Registrations.RemoveAsync(scene.Server, Cancellation)).WasRegistered);
        Assert.Empty(other.Items);
    }
}

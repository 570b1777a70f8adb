using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Core.Tests.Vaults;
using McpSm.Core.Vaults;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Registration;

/// <summary>A registration that the issuer may have forgotten, though it never says invalid_client.</summary>
public sealed class DoubtedClientTests
{
    private static CredentialStore Store(SignInFixture scene) => new(scene.Work.Home, new VaultSelector(scene.Work.Home, [], _ => { }));

    private static async Task<string?> KeptClientAsync(SignInFixture scene) =>
        (await Store(scene).ReadRegistrationAsync(scene.Server, scene.Issuer.Issuer, null, default))?.Client.Id;

    private static int Registrations(SignInFixture scene) => scene.Issuer.Traffic.Count("/register");

    private static SignInOptions Briefly(SignInOptions options) => options with { Timeout = TimeSpan.FromSeconds(1) };

    private static void NobodyAnswers(SignInFixture scene) => scene.Person.Browse = _ => Task.CompletedTask;

    [Fact]
    public async Task After_an_error_page_the_next_sign_in_registers_another_client()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Server.ForgetClients();
        var failure = await scene.FailsAsync(Briefly);
        Assert.Equal((ErrorReason.AuthenticationTimeout, "mcpsm auth login my-api --timeout <seconds>"), (failure.Reason, failure.Remedy.InShell()));
        Assert.Contains("the next sign-in registers another one", failure.Message);
        // Another process reads what this one has noted.
        await scene.Work.New().ConnectAsync(scene.Server, new SignInOptions { CallbackPort = 0, Timeout = TimeSpan.FromSeconds(20) }, default);
        Assert.Equal(2, Registrations(scene));
        await scene.LoginAsync();
        Assert.Equal(2, Registrations(scene));
    }

    [Fact]
    public async Task An_issuer_that_was_only_slow_loses_nothing()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var before = await KeptClientAsync(scene);
        NobodyAnswers(scene);
        await scene.FailsAsync(Briefly);
        await scene.FailsAsync(Briefly);
        Assert.Equal(2, Registrations(scene));
        Assert.Equal(before, await KeptClientAsync(scene));
        scene.Person.Browse = null;
        await scene.LoginAsync();
        var after = await KeptClientAsync(scene);
        Assert.NotEqual(before, after);
        Assert.NotNull(after);
        // The tokens that the old client got can still be renewed by what is kept with them.
        await scene.Authenticator.RenewAsync(scene.Server, default);
        await scene.LoginAsync();
        // The client of the sign-in that failed was good enough for the next one.
        Assert.Equal((2, after), (Registrations(scene), await KeptClientAsync(scene)));
    }

    [Fact]
    public async Task An_issuer_that_registers_no_more_is_asked_with_the_old_client()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        NobodyAnswers(scene);
        await scene.FailsAsync(Briefly);
        scene.Person.Browse = null;
        scene.Issuer.Faults.Answer("/register", 403, """{"error":"access_denied"}""");
        await scene.LoginAsync();
        Assert.Contains(scene.Person.Notices, n => n.Contains("used once more"));
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
    public async Task A_client_error_for_the_code_makes_the_next_sign_in_register(int status, string body)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Answer("/token", status, body, times: 1);
        await scene.FailsAsync();
        Assert.Contains(scene.Person.Notices, n => n.Contains("the next sign-in registers another one"));
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
    public async Task An_error_that_is_not_of_the_client_leaves_it_alone(int status, string body)
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
    public async Task A_refused_renewal_says_the_same_as_a_refused_code(int status, string body, int registrations)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Answer("/token", status, body, times: 1);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.RenewAsync(scene.Server, default));
        await scene.LoginAsync();
        Assert.Equal(registrations, Registrations(scene));
    }

    [Fact]
    public async Task A_person_who_says_no_leaves_it_alone()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Deny();
        Assert.Equal(ErrorReason.AuthorizationDenied, (await scene.FailsAsync()).Reason);
        scene.Issuer.Faults.Clear();
        await scene.LoginAsync();
        Assert.Equal(1, Registrations(scene));
    }

    [Fact]
    public async Task Ctrl_C_says_nothing_of_the_client()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        using var stop = new CancellationTokenSource();
        scene.Person.Browse = _ => stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            scene.Authenticator.ConnectAsync(scene.Server, new SignInOptions { CallbackPort = 0 }, stop.Token));
        scene.Person.Browse = null;
        await scene.LoginAsync();
        Assert.Equal(1, Registrations(scene));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Without_the_one_time_address_the_person_is_told_how_to_drop_it(bool noBrowser)
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
    public async Task A_device_that_nobody_uses_is_told_the_same()
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
    public async Task A_first_sign_in_that_nobody_finishes_doubts_nothing()
    {
        await using var scene = await SignInFixture.StartAsync();
        NobodyAnswers(scene);
        var failure = await scene.FailsAsync(o => Briefly(o) with { NoBrowser = true });
        Assert.DoesNotContain("forget", failure.Message + failure.Remedy.InShell());
        await scene.FailsAsync(Briefly);
        scene.Person.Browse = null;
        Assert.DoesNotContain("forgotten", failure.Message);
    }

    [Fact]
    public async Task A_doubt_of_a_client_that_was_replaced_says_nothing_of_the_next_one()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await Store(scene).MarkDoubtedAsync(scene.Issuer.Issuer, "another-client", default);
        await scene.LoginAsync();
        Assert.Equal(1, Registrations(scene));
    }

    [Fact]
    public async Task Forgetting_drops_it_at_once_and_keeps_the_tokens()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        Assert.Equal(new RemovedRegistration(scene.Issuer.Issuer, true), await scene.Authenticator.ForgetClientAsync(scene.Server, default));
        Assert.Null(await KeptClientAsync(scene));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        await scene.Authenticator.RenewAsync(scene.Server, default);
        Assert.Equal(new RemovedRegistration(scene.Issuer.Issuer, false), await scene.Authenticator.ForgetClientAsync(scene.Server, default));
        await scene.LoginAsync();
        Assert.Equal(2, Registrations(scene));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Forgetting_finds_the_issuer_of_a_server_that_is_signed_out(bool isOfBefore)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.Authenticator.DisconnectAsync(scene.Server, local: true, default);
        if (isOfBefore)
        {
            // An earlier Mcpsm noted nothing of registrations: the server is asked.
            File.WriteAllText(scene.Work.Home.PathOf("credentials.json"), """{"version":1,"servers":{}}""");
        }
        scene.Issuer.Traffic.Clear();
        Assert.Equal(new RemovedRegistration(scene.Issuer.Issuer, true), await scene.Work.New().ForgetClientAsync(scene.Server, default));
        Assert.Equal(isOfBefore, scene.Issuer.Traffic.Requests.Count > 0);
        Assert.Null(await KeptClientAsync(scene));
    }

    [Fact]
    public async Task Forgetting_looks_at_the_issuer_that_the_user_pinned_first()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.ChangeServerAsync(s => new(s) { Issuer = "https://other.example" });
        Assert.Equal(new RemovedRegistration("https://other.example", false), await scene.Authenticator.ForgetClientAsync(scene.Server, default));
        Assert.NotNull(await KeptClientAsync(scene));
    }

    [Fact]
    public async Task It_ends_with_the_last_server_that_uses_it()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await using var resource = await TestMcpServer.StartAsync(scene.Issuer);
        var other = await scene.Work.AddAsync(resource.McpUrl, s => new(s) { Name = "other" });
        await scene.Work.LoginAsync(other);
        Assert.Equal(1, Registrations(scene));
        await scene.Authenticator.DisconnectAsync(other, local: true, default);
        var server = scene.Server;
        await scene.Authenticator.RemoveServerAsync(server, default);
        Assert.NotNull(await Store(scene).ReadRegistrationAsync(other, scene.Issuer.Issuer, null, default));
        Assert.DoesNotContain("my-api", File.ReadAllText(scene.Work.Home.PathOf("credentials.json")));
        await scene.Work.New().RemoveServerAsync(other, default);
        Assert.Null(await Store(scene).ReadRegistrationAsync(other, scene.Issuer.Issuer, null, default));
        Assert.DoesNotContain(scene.Person.Notices, n => n.Contains("could not be removed"));
    }

    [Fact]
    public async Task It_moves_to_another_vault_with_what_is_known_of_it()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        NobodyAnswers(scene);
        await scene.FailsAsync(Briefly);
        var other = new MemoryVault();
        var door = MemoryVault.Door(scene.Work, other);
        await door.MoveToVaultAsync("memory", default);
        Assert.Equal(2, other.Items.Count);
        var facts = Assert.Single(Store(scene).Index.ReadRegistrations()).Value;
        Assert.Equal(("memory", scene.Server.Id), (facts.Vault, Assert.Single(facts.Servers)));
        Assert.NotNull(facts.DoubtedClient);
        await door.DisconnectAsync(scene.Server, local: true, default);
        Assert.True((await door.ForgetClientAsync(scene.Server, default)).WasRegistered);
        Assert.Empty(other.Items);
    }
}

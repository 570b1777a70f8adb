using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>Issuers that refuse a renewal with another error than <c>invalid_grant</c>.</summary>
public sealed class RefusedRenewalTests
{
    private const string Html = "<html><body>Not allowed</body></html>";

    [FieldFault(26)]
    [Theory]
    [InlineData(400, """{"error":"invalid_request"}""", "application/json")]
    [InlineData(401, """{"error":"invalid_token"}""", "application/json")]
    [InlineData(401, Html, "text/html")]
    [InlineData(400, "", "application/json")]
    [InlineData(403, """{"error":"access_denied"}""", "application/json")]
    [InlineData(404, Html, "text/html")]
    [InlineData(400, """{"error":"something_of_its_own","error_description":"no"}""", "application/json")]
    [InlineData(422, """{"message":"no"}""", "application/json")]
    public async Task Lasting_refusal_keeps_the_refresh_token_and_is_not_repeated(int status, string body, string type)
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        clock.Advance(TimeSpan.FromHours(2));
        scene.Issuer.Faults.Answer("/token", status, body, type);
        for (var i = 0; i < 3; i++)
        {
            // A new authenticator stands for another process.
            var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Work.New().Tokens.GetTokenAsync(scene.Server, Cancellation));
            Assert.Equal((ErrorReason.AuthenticationRequired, "mcpsm auth login my-api", status, "my-api"),
                (e.Reason, e.Remedy.InShell(), e.StatusCode, e.Server));
        }
        Assert.Single(Sent(scene));
        Assert.Equal((AuthState.Expired, true, "mcpsm auth login my-api"), (scene.Status.State, scene.Status.CanRenew, scene.Status.Remedy));
        Assert.NotNull(scene.Status.RenewalRefusedAt);
        Assert.False(scene.Status.RenewalUncertain);

        clock.Advance(TimeSpan.FromMinutes(14));
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Single(Sent(scene));
        clock.Advance(TimeSpan.FromMinutes(2));
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal(2, Sent(scene).Count);

        // The user asks for a renewal, and later the issuer is repaired.
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal(3, Sent(scene).Count);
        Assert.Single(Sent(scene).Distinct());
        scene.Issuer.Faults.Clear();
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal((AuthState.Authenticated, null, null), (scene.Status.State, scene.Status.RenewalRefusedAt, scene.Status.Remedy));
    }

    [FieldFault(26)]
    [Theory]
    [InlineData(400, "server_error")]
    [InlineData(400, "temporarily_unavailable")]
    [InlineData(400, "slow_down")]
    [InlineData(400, "use_dpop_nonce")]
    [InlineData(401, "use_dpop_nonce")]
    [InlineData(407, null)]
    [InlineData(408, null)]
    [InlineData(425, null)]
    [InlineData(429, null)]
    [InlineData(429, "invalid_request")]
    [InlineData(500, null)]
    [InlineData(503, "invalid_request")]
    public async Task Temporary_refusal_is_followed_by_another_attempt(int status, string? error)
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        clock.Advance(TimeSpan.FromHours(2));
        scene.Issuer.Faults.Answer("/token", status, error is null ? "" : $$"""{"error":"{{error}}"}""");
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal((null, "mcpsm auth refresh my-api"), (scene.Status.RenewalRefusedAt, scene.Status.Remedy));
        scene.Issuer.Faults.Clear();
        await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
    }

    [Fact]
    public async Task Token_that_is_still_valid_is_returned_while_the_issuer_refuses()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        var first = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        clock.Advance(TimeSpan.FromMinutes(59.5));
        scene.Issuer.Faults.Answer("/token", 400, "");
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(first, await scene.Work.New().Tokens.GetTokenAsync(scene.Server, Cancellation));
        }
        Assert.Single(Sent(scene));
        Assert.Equal((AuthState.ExpiringSoon, "mcpsm auth login my-api"), (scene.Status.State, scene.Status.Remedy));
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(ErrorReason.AuthenticationRequired,
            (await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation))).Reason);
        Assert.Single(Sent(scene));
    }

    [Theory]
    [InlineData("invalid_scope", "mcpsm server update my-api --scope <scope>...")]
    [InlineData("invalid_target", "Ask the operator of the issuer to accept the resource ")]
    public async Task Refusal_of_scope_or_resource_has_its_own_remedy(string error, string remedy)
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        clock.Advance(TimeSpan.FromHours(2));
        scene.Issuer.Faults.Answer("/token", 400, $$"""{"error":"{{error}}"}""");
        foreach (var auth in new[] { scene.Authenticator, scene.Work.New() })
        {
            Assert.StartsWith(remedy, (await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.GetTokenAsync(scene.Server, Cancellation)))
                .Remedy.InShell());
        }
        Assert.StartsWith(remedy, scene.Status.Remedy);
        Assert.Single(Sent(scene));
    }

    [Theory]
    [InlineData("client")]
    [InlineData("secret")]
    [InlineData("issuer")]
    [InlineData("sign-in")]
    public async Task Refused_renewal_is_repeated_at_once_after_a_change(string what)
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        clock.Advance(TimeSpan.FromHours(2));
        scene.Issuer.Faults.Answer("/token", 400, "", times: 1);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        await (what switch
        {
            "client" => scene.Authenticator.Servers.UpdateAsync(scene.Server, new() { ClientId = "another" }, Cancellation),
            "secret" => scene.Authenticator.Servers.UpdateAsync(scene.Server, new() { ClientId = "another", ClientSecret = "its secret" }, Cancellation),
            "issuer" => scene.ChangeServerAsync(s => new(s) { Issuer = scene.Issuer.Issuer }),
            _ => scene.LoginAsync(),
        });
        await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.Null(scene.Status.RenewalRefusedAt);
    }

    [Fact]
    public async Task Index_entry_of_a_refused_renewal_holds_no_secret()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        clock.Advance(TimeSpan.FromHours(2));
        scene.Issuer.Faults.Answer("/token", 400, """{"error":"invalid_request","error_description":"words of the issuer"}""");
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        var index = File.ReadAllText(scene.Work.Home.PathOf("credentials.json"));
        Assert.Contains("renewalRefused", index);
        Assert.DoesNotContain(Assert.Single(Sent(scene)), index);
        Assert.DoesNotContain("words of the issuer", index);
        var refused = new CredentialIndex(scene.Work.Home).Read("my-api")!.RenewalRefused!;
        Assert.Equal((400, "invalid_request"), (refused.Status, refused.Error));
        Assert.Equal(refused, new CredentialIndex(scene.Work.Home).Read()["my-api"].RenewalRefused);
    }

    [Fact]
    public async Task Handler_after_a_refused_renewal_fails_or_signs_in_without_a_request()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        clock.Advance(TimeSpan.FromHours(2));
        scene.Issuer.Faults.Intercept("/token", async context =>
        {
            var form = await context.Request.ReadFormAsync();
            context.Response.StatusCode = 400;
            Assert.Equal("refresh_token", form["grant_type"].ToString());
        }, times: 1);
        using (var http = scene.Open())
        {
            for (var i = 0; i < 3; i++)
            {
                var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.PingAsync(http, Cancellation));
                Assert.Equal((ErrorReason.AuthenticationRequired, "mcpsm auth login my-api"), (e.Reason, e.Remedy.InShell()));
            }
        }
        Assert.Single(Sent(scene));
        using var person = scene.Open(signIn: true);
        Assert.Equal(200, await scene.PingAsync(person, Cancellation));
        Assert.Single(Sent(scene));
    }

    [Rule(34)]
    [Fact]
    public async Task Refused_session_is_not_sent_again_until_the_user_asks()
    {
        var clock = new ManualTimeProvider();
        await using var work = await EnterpriseFixture.SignedInAsync(clock);
        clock.Advance(TimeSpan.FromHours(2));
        work.Provider.Traffic.Clear();
        work.Provider.Faults.Answer("/token", 401, Html, "text/html", times: 1);
        foreach (var auth in new[] { work.Authenticator, work.Work.New() })
        {
            var e = await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.GetTokenAsync(work.One, Cancellation));
            Assert.Equal(ErrorReason.AuthenticationRequired, e.Reason);
        }
        Assert.Single(work.Provider.Traffic.To("/token"));
        var provider = Assert.Single(work.Authenticator.IdentityProviders.List());
        Assert.Equal((false, true, "mcpsm identity login"), (provider.SignedIn, provider.CanRenew, provider.Remedy));
        // A renewal that the user asks for is sent once.
        await work.Authenticator.Tokens.RenewAsync(work.One, Cancellation);
        Assert.True(Assert.Single(work.Authenticator.IdentityProviders.List()).SignedIn);
    }

    [Fact]
    public async Task Refused_client_is_tried_again_after_its_secret_changed()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.StartAsync(new()
        {
            SupportsDeviceCode = true,
            SupportsRegistration = false,
            PreRegisteredClients = [new("mine", "its-first-secret", [], "client_secret_basic")],
        }, server: s => new(s) { ClientId = "mine" }, clock: clock);
        scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, true));
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new() { ClientSecret = "its-first-secret" }, Cancellation);
        await scene.LoginAsync(o => o with { UseDeviceCode = true });
        clock.Advance(TimeSpan.FromHours(2));
        scene.Issuer.Faults.Answer("/token", 401, """{"error":"invalid_client"}""");
        foreach (var auth in new[] { scene.Authenticator, scene.Work.New() })
        {
            var e = await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.GetTokenAsync(scene.Server, Cancellation));
            Assert.Equal(ErrorReason.ClientRejected, e.Reason);
            Assert.EndsWith("mcpsm server update my-api --client-id mine --client-secret-from-env <NAME>", e.Remedy.InShell());
        }
        Assert.EndsWith("mcpsm server update my-api --client-id mine --client-secret-from-env <NAME>", scene.Status.Remedy);
        Assert.Single(Sent(scene));
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new() { ClientSecret = "its-second-secret" }, Cancellation);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal(2, Sent(scene).Count);
    }

    private static List<string> Sent(SignInFixture scene) => [.. scene.Issuer.Traffic.OfGrant("refresh_token").Select(r => r.FormValue("refresh_token")!)];
}

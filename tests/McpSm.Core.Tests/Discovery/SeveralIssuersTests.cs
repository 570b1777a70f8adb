using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Discovery;

public sealed class SeveralIssuersTests
{
    private static void TrustBoth(SignInFixture scene, TestIssuer second) =>
        scene.Resource.Introspect = token => scene.Issuer.Server.Introspect(token) ?? second.Server.Introspect(token);

    [Rule(7, 15)]
    [Fact]
    public async Task Registrations_of_two_issuers_are_kept_apart_and_found_again()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await using var second = await TestIssuer.StartAsync();
        TrustBoth(scene, second);
        scene.Resource.Issuers = [second.Issuer];
        await scene.LoginAsync();
        scene.Resource.Issuers = [scene.Issuer.Issuer];
        await scene.LoginAsync();

        Assert.Equal(1, scene.Issuer.Traffic.Count("/register"));
        Assert.Equal(1, second.Traffic.Count("/register"));
        var known = Assert.Single(scene.Issuer.Server.Clients).ClientId;
        var other = Assert.Single(second.Server.Clients).ClientId;
        Assert.Equal([known, known], scene.Issuer.Traffic.To("/authorize").Select(r => r.QueryValue("client_id")));
        Assert.Equal(other, Assert.Single(second.Traffic.To("/authorize")).QueryValue("client_id"));
    }

    [Rule(7)]
    [Fact]
    public async Task Token_is_renewed_and_revoked_at_the_issuer_that_issued_it()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await using var second = await TestIssuer.StartAsync();
        scene.Resource.Issuers = [second.Issuer];
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
        Assert.Equal(2, scene.Issuer.Traffic.Count("/revoke"));
        Assert.Empty(second.Traffic.Requests);
    }

    /// <summary>Signs in, and then makes the server trust a second issuer instead of the first.</summary>
    private static async Task<(SignInFixture, TestIssuer)> ChangedAsync(AuthorizationServerOptions? options = null, ManualTimeProvider? clock = null)
    {
        var scene = await SignInFixture.SignedInAsync(options, clock: clock);
        var second = await TestIssuer.StartAsync(clock is null ? null : new() { TimeProvider = clock });
        scene.Resource.Issuers = [second.Issuer];
        scene.Resource.Introspect = second.Server.Introspect;
        return (scene, second);
    }

    [Rule(7, 15)]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sign_in_at_a_new_issuer_revokes_old_tokens_and_keeps_the_registration(bool renewable)
    {
        var (scene, second) = await ChangedAsync(new() { IssueRefreshTokens = renewable });
        await using var _ = scene;
        await using var __ = second;
        await scene.LoginAsync();
        Assert.Contains(scene.Person.Warnings, n => n.Contains($"has a new issuer, {second.Issuer}. This sign-in replaces the token of {scene.Issuer.Issuer}"));
        Assert.DoesNotContain(scene.Issuer.Server.IssuedTokens, t => t.State == TokenState.Active);
        Assert.Equal(second.Issuer, scene.Status.Issuer);
        scene.Resource.Issuers = [scene.Issuer.Issuer];
        scene.Resource.Introspect = scene.Issuer.Server.Introspect;
        await scene.LoginAsync();
        Assert.Equal(1, scene.Issuer.Traffic.Count("/register"));
    }

    [Rule(7)]
    [Fact]
    public async Task Failed_sign_in_at_a_new_issuer_keeps_the_old_credential()
    {
        var (scene, second) = await ChangedAsync();
        await using var _ = scene;
        await using var __ = second;
        second.Faults.Answer("/token", 500);
        await scene.FailsAsync();
        Assert.Empty(scene.Issuer.Traffic.To("/revoke"));
        Assert.Equal(scene.Issuer.Issuer, scene.Status.Issuer);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [Rule(7, 15)]
    [Fact]
    public async Task Renewal_asks_the_server_for_its_issuer_once_a_day()
    {
        var clock = new ManualTimeProvider();
        var (scene, second) = await ChangedAsync(clock: clock);
        await using var _ = scene;
        await using var __ = second;
        clock.Advance(TimeSpan.FromHours(25));
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal((ErrorReason.AuthenticationRequired, "mcpsm auth login my-api"), (e.Reason, e.Remedy.InShell()));
        Assert.Contains("has a new issuer", e.Message);
        Assert.Empty(scene.Issuer.Traffic.OfGrant("refresh_token"));
        Assert.Empty(second.Traffic.Requests);
    }

    [Rule(7)]
    [Theory]
    [InlineData("/mcp", 500)]
    [InlineData("/.well-known", 503)]
    [InlineData("/.well-known", 404)]
    public async Task Server_metadata_that_cannot_be_read_does_not_change_the_issuer(string path, int status)
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        clock.Advance(TimeSpan.FromHours(25));
        scene.Resource.Faults.Answer(path, status);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Rule(7, 15)]
    [Fact]
    public async Task Pinned_issuer_wins_over_the_server_and_requires_a_new_sign_in()
    {
        var (scene, second) = await ChangedAsync();
        await using var _ = scene;
        await using var __ = second;
        await scene.ChangeServerAsync(s => new(s) { Issuer = scene.Issuer.Issuer });
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        await scene.ChangeServerAsync(s => new(s) { Issuer = second.Issuer });
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Contains("has a new issuer", e.Message);
        Assert.Empty(second.Traffic.Requests);
    }

    [Rule(7)]
    [Theory]
    [InlineData(404, "")]
    [InlineData(200, "<html>")]
    [InlineData(200, "{}")]
    [InlineData(503, "")]
    public async Task First_issuer_without_usable_metadata_is_skipped_for_the_next(int status, string body)
    {
        await using var scene = await SignInFixture.StartAsync();
        await using var first = await TestIssuer.StartAsync();
        first.Faults.Answer("/", status, body);
        scene.Resource.Issuers = [first.Issuer, scene.Issuer.Issuer];
        await scene.LoginAsync();
        Assert.NotEmpty(first.Traffic.Requests);
        Assert.Equal(scene.Issuer.Issuer, scene.Status.Issuer);
    }

    [Rule(7)]
    [Fact]
    public async Task First_issuer_that_is_unreachable_or_unsafe_is_skipped_for_the_next()
    {
        await using var scene = await SignInFixture.StartAsync();
        var gone = await TestIssuer.StartAsync();
        scene.Resource.Issuers = ["http://issuer.example", gone.Issuer, scene.Issuer.Issuer];
        await gone.DisposeAsync();
        await scene.LoginAsync();
        Assert.Equal(scene.Issuer.Issuer, scene.Status.Issuer);
    }

    [Rule(7)]
    [Fact]
    public async Task First_failure_is_reported_if_all_issuers_fail()
    {
        await using var scene = await SignInFixture.StartAsync();
        await using var second = await TestIssuer.StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["issuer"] = "https://evil.example");
        second.Faults.Answer("/", 404);
        scene.Resource.Issuers = [scene.Issuer.Issuer, second.Issuer];
        Assert.Equal(ErrorReason.IssuerMismatch, (await scene.FailsAsync()).Reason);
    }

    [Fact]
    public async Task Pinned_issuer_is_the_only_one_contacted()
    {
        await using var scene = await SignInFixture.StartAsync();
        await using var other = await TestIssuer.StartAsync();
        await scene.ChangeServerAsync(s => new(s) { Issuer = scene.Issuer.Issuer });
        scene.Resource.Issuers = [other.Issuer];
        await scene.LoginAsync();
        Assert.Empty(other.Traffic.Requests);
    }
}

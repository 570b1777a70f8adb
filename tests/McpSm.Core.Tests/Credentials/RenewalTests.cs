using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

public sealed class RenewalTests
{
    [Rule(23)]
    [Fact]
    public async Task Renewal_by_eight_callers_at_once_sends_one_refresh_token_once()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var server = scene.Server;
        scene.Issuer.Faults.Delay("/token", TimeSpan.FromMilliseconds(200));
        var tokens = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => scene.Work.New().Tokens.RenewNowAsync(server, default))));

        Assert.Single(tokens.Select(t => t.AccessToken).Distinct());
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
        Assert.NotNull(scene.Issuer.Server.Introspect(tokens[0].AccessToken));
    }

    [Rule(23)]
    [Fact]
    public async Task Refresh_token_stays_if_the_response_has_none()
    {
        await using var scene = await SignInFixture.SignedInAsync(new() { RotateRefreshTokens = false });
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        var spent = scene.Issuer.Traffic.OfGrant("refresh_token").Select(r => r.FormValue("refresh_token")).ToList();
        Assert.Equal(2, spent.Count);
        Assert.Single(spent.Distinct());
        Assert.True(scene.Status.CanRenew);
    }

    [Rule(23)]
    [Fact]
    public async Task Refresh_token_that_rotates_is_replaced()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal(2, scene.Issuer.Traffic.OfGrant("refresh_token").Select(r => r.FormValue("refresh_token")).Distinct().Count());
    }

    [Rule(23)]
    [Fact]
    public async Task Credential_without_refresh_token_asks_for_sign_in_when_expired()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(new() { IssueRefreshTokens = false }, clock: clock);
        Assert.Equal((AuthState.Authenticated, false), (scene.Status.State, scene.Status.CanRenew));
        var renewing = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal(ErrorReason.AuthenticationRequired, renewing.Reason);
        Assert.NotNull(await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));

        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal((AuthState.Expired, "mcpsm auth login my-api"), (scene.Status.State, scene.Status.Remedy));
        var expired = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal((ErrorReason.AuthenticationRequired, "mcpsm auth login my-api"), (expired.Reason, expired.Remedy.InShell()));
        Assert.Empty(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Token_near_expiry_is_renewed_a_minute_before_it()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        var first = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        clock.Advance(TimeSpan.FromMinutes(54));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal((AuthState.ExpiringSoon, "mcpsm auth refresh my-api"), (scene.Status.State, scene.Status.Remedy));
        Assert.Equal(first, await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.NotEqual(first, await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal((AuthState.Expired, "mcpsm auth refresh my-api"), (scene.Status.State, scene.Status.Remedy));
    }

    [Fact]
    public async Task Clock_set_back_by_a_day_causes_a_renewal()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        var first = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        clock.Advance(TimeSpan.FromMinutes(-4));
        Assert.Equal(first, await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        clock.Advance(TimeSpan.FromDays(-1));
        Assert.NotEqual(first, await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
    }

    [Fact]
    public async Task Issuer_setting_that_is_not_a_URL_is_an_error_with_remedy()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.ChangeServerAsync(s => new(s) { Issuer = "not a url" });
        foreach (var failing in new Func<Task>[] { () => scene.LoginAsync(), () => scene.Authenticator.Tokens.RenewAsync(scene.Server, default) })
        {
            var e = await Assert.ThrowsAsync<McpAuthException>(failing);
            Assert.Equal((ErrorReason.InvalidServerUrl, "mcpsm server update my-api --issuer <url>"), (e.Reason, e.Remedy.InShell()));
        }
    }

    [Fact]
    public async Task Refresh_token_that_the_issuer_rejects_is_removed()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Server.RevokeAllTokens();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal(ErrorReason.RefreshTokenRejected, e.Reason);
        Assert.Equal("mcpsm auth login my-api", e.Remedy.InShell());
        Assert.False(scene.Status.CanRenew);
    }

    [Fact]
    public async Task Lost_response_keeps_the_token_and_marks_the_renewal_uncertain()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.DropConnectionAfterHandling("/token", times: 1);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.True(scene.Status.RenewalUncertain);
        Assert.True(scene.Status.CanRenew);
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Killed_renewal_is_mentioned_if_the_issuer_then_refuses()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        var index = new CredentialIndex(scene.Work.Home);
        await index.WriteAsync("my-api", f => f! with { RenewalBegan = clock.GetUtcNow() }, Cancellation);
        Assert.False(scene.Status.RenewalUncertain);
        clock.Advance(TimeSpan.FromMinutes(3));
        Assert.True(scene.Status.RenewalUncertain);
        scene.Issuer.Server.RevokeAllTokens();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Contains("An earlier renewal was interrupted", e.Message);
        Assert.False(scene.Status.RenewalUncertain);
    }

    [Fact]
    public async Task Renewal_mark_is_written_if_the_index_entry_is_missing()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var index = new CredentialIndex(scene.Work.Home);
        CredentialInfo? during = null;
        scene.Issuer.Faults.Before("/token", _ =>
        {
            during = index.Read("my-api");
            return Task.CompletedTask;
        }, times: 1);
        var seen = (await scene.Work.Store.ReadAsync(scene.Server, Cancellation))!.OAuth!;
        // The state after a kill between the write to the vault and the write to the index.
        await index.WriteAsync("my-api", _ => null, Cancellation);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, seen, Cancellation);
        Assert.NotNull(during?.RenewalBegan);
        Assert.Equal(("file", true), (during?.Vault, during?.CanRenew));
    }

    [Fact]
    public async Task Renewal_that_certainly_failed_is_not_marked_uncertain()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Answer("/token", 400, """{"error":"invalid_scope"}""", times: 1);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Null(new CredentialIndex(scene.Work.Home).Read("my-api")!.RenewalBegan);
        Assert.False(scene.Status.RenewalUncertain);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
    }
}

using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Core.Vaults;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

public sealed class RenewalTests
{
    [Rule(23)]
    [Fact]
    public async Task Eight_at_once_spend_one_refresh_token_once()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var server = scene.Server;
        scene.Issuer.Faults.Delay("/token", TimeSpan.FromMilliseconds(200));
        var tokens = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => scene.Work.New().RenewAsync(server, default))));

        Assert.Single(tokens.Select(t => t.AccessToken).Distinct());
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
        Assert.NotNull(scene.Issuer.Server.Introspect(tokens[0].AccessToken));
    }

    [Rule(23)]
    [Fact]
    public async Task The_old_refresh_token_stays_where_none_comes_back()
    {
        await using var scene = await SignInFixture.SignedInAsync(new() { RotateRefreshTokens = false });
        await scene.Authenticator.RenewAsync(scene.Server, default);
        await scene.Authenticator.RenewAsync(scene.Server, default);
        var spent = scene.Issuer.Traffic.OfGrant("refresh_token").Select(r => r.FormValue("refresh_token")).ToList();
        Assert.Equal(2, spent.Count);
        Assert.Single(spent.Distinct());
        Assert.True(scene.Status.CanRenew);
    }

    [Rule(23)]
    [Fact]
    public async Task A_refresh_token_that_rotates_is_replaced()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.Authenticator.RenewAsync(scene.Server, default);
        await scene.Authenticator.RenewAsync(scene.Server, default);
        Assert.Equal(2, scene.Issuer.Traffic.OfGrant("refresh_token").Select(r => r.FormValue("refresh_token")).Distinct().Count());
    }

    [Rule(23)]
    [Fact]
    public async Task An_issuer_that_gives_no_refresh_token_is_signed_in_to_again()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(new() { IssueRefreshTokens = false }, clock: clock);
        Assert.Equal((AuthState.Authenticated, false), (scene.Status.State, scene.Status.CanRenew));
        var renewing = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.RenewAsync(scene.Server, default));
        Assert.Equal(ErrorReason.AuthenticationRequired, renewing.Reason);
        Assert.NotNull(await scene.Authenticator.GetTokenAsync(scene.Server, default));

        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal((AuthState.Expired, "mcpsm auth login my-api"), (scene.Status.State, scene.Status.Remedy));
        var expired = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.GetTokenAsync(scene.Server, default));
        Assert.Equal((ErrorReason.AuthenticationRequired, "mcpsm auth login my-api"), (expired.Reason, expired.Remedy.InShell()));
        Assert.Empty(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task A_token_ages_and_is_renewed_a_minute_before_its_end()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        var first = await scene.Authenticator.GetTokenAsync(scene.Server, default);
        clock.Advance(TimeSpan.FromMinutes(54));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        clock.Advance(TimeSpan.FromMinutes(4));
        Assert.Equal((AuthState.ExpiringSoon, "mcpsm auth refresh my-api"), (scene.Status.State, scene.Status.Remedy));
        Assert.Equal(first, await scene.Authenticator.GetTokenAsync(scene.Server, default));
        clock.Advance(TimeSpan.FromSeconds(61));
        Assert.NotEqual(first, await scene.Authenticator.GetTokenAsync(scene.Server, default));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal((AuthState.Expired, "mcpsm auth refresh my-api"), (scene.Status.State, scene.Status.Remedy));
    }

    [Fact]
    public async Task A_clock_that_was_set_back_says_nothing_of_a_tokens_end()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        var first = await scene.Authenticator.GetTokenAsync(scene.Server, default);
        clock.Advance(TimeSpan.FromMinutes(-4));
        Assert.Equal(first, await scene.Authenticator.GetTokenAsync(scene.Server, default));
        clock.Advance(TimeSpan.FromDays(-1));
        Assert.NotEqual(first, await scene.Authenticator.GetTokenAsync(scene.Server, default));
    }

    [Fact]
    public async Task An_issuer_that_another_program_wrote_wrongly_is_named()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.ChangeServerAsync(s => new(s) { Issuer = "not a url" });
        foreach (var failing in new Func<Task>[] { () => scene.LoginAsync(), () => scene.Authenticator.RenewAsync(scene.Server, default) })
        {
            var e = await Assert.ThrowsAsync<McpAuthException>(failing);
            Assert.Equal((ErrorReason.InvalidServerUrl, "mcpsm server update my-api --issuer <url>"), (e.Reason, e.Remedy.InShell()));
        }
    }

    [Fact]
    public async Task A_rejected_refresh_token_clears_itself_and_says_so()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Server.RevokeAllTokens();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.RenewAsync(scene.Server, default));
        Assert.Equal(ErrorReason.RefreshTokenRejected, e.Reason);
        Assert.Equal("mcpsm auth login my-api", e.Remedy.InShell());
        Assert.False(scene.Status.CanRenew);
    }

    [Fact]
    public async Task A_lost_answer_keeps_the_token_and_marks_the_renewal_uncertain()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.DropConnectionAfterHandling("/token", times: 1);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.RenewAsync(scene.Server, default));
        Assert.True(scene.Status.RenewalUncertain);
        Assert.True(scene.Status.CanRenew);
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task A_renewal_that_was_killed_is_told_of_when_the_issuer_then_refuses()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        var index = new CredentialIndex(scene.Work.Home);
        await index.WriteAsync("my-api", f => f! with { RenewalBegan = clock.GetUtcNow() }, default);
        Assert.False(scene.Status.RenewalUncertain);
        clock.Advance(TimeSpan.FromMinutes(3));
        Assert.True(scene.Status.RenewalUncertain);
        scene.Issuer.Server.RevokeAllTokens();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.RenewAsync(scene.Server, default));
        Assert.Contains("An earlier renewal was interrupted", e.Message);
        Assert.False(scene.Status.RenewalUncertain);
    }

    [Fact]
    public async Task Word_of_a_renewal_is_left_also_where_the_facts_were_not()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var index = new CredentialIndex(scene.Work.Home);
        CredentialInfo? during = null;
        scene.Issuer.Faults.Before("/token", _ =>
        {
            during = index.Read("my-api");
            return Task.CompletedTask;
        }, times: 1);
        var seen = (await new CredentialStore(scene.Work.Home, new VaultSelector(scene.Work.Home, [], _ => { }))
            .ReadAsync(scene.Server, default))!.OAuth!;
        // As a kill between the vault and the facts leaves it, and nobody has read since.
        await index.WriteAsync("my-api", _ => null, default);
        await scene.Authenticator.RenewAsync(scene.Server, seen, default);
        Assert.NotNull(during?.RenewalBegan);
        Assert.Equal(("file", true), (during?.Vault, during?.CanRenew));
    }

    [Fact]
    public async Task A_renewal_that_fails_for_sure_leaves_no_doubt_behind()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Answer("/token", 400, """{"error":"invalid_scope"}""", times: 1);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.RenewAsync(scene.Server, default));
        Assert.Null(new CredentialIndex(scene.Work.Home).Read("my-api")!.RenewalBegan);
        Assert.False(scene.Status.RenewalUncertain);
        await scene.Authenticator.RenewAsync(scene.Server, default);
    }
}

using McpSm.Core.Errors;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests;

public sealed class RenewalTests
{
    [Fact]
    public async Task Rule_23_Eight_at_once_spend_one_refresh_token_once()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        await work.LoginAsync(server);
        server = work.Authenticator.Catalog.Get(server.Id);
        var before = issuer.Traffic.OfGrant("refresh_token").Count;

        issuer.Faults.Delay("/token", TimeSpan.FromMilliseconds(200));
        var tokens = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => work.New().RenewAsync(server, default))));

        Assert.Single(tokens.Select(t => t.AccessToken).Distinct());
        Assert.Equal(1, issuer.Traffic.OfGrant("refresh_token").Count - before);
        Assert.NotNull(issuer.Server.Introspect(tokens[0].AccessToken));
    }

    [Fact]
    public async Task A_rejected_refresh_token_clears_itself_and_says_so()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        await work.LoginAsync(server);
        issuer.Server.RevokeAllTokens();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.RenewAsync(server, default));
        Assert.Equal(ErrorReason.RefreshTokenRejected, e.Reason);
        Assert.Equal("mcpsm auth login my-api", e.Remedy);
        Assert.False(work.Authenticator.Status(server).CanRenew);
    }

    [Fact]
    public async Task A_lost_answer_keeps_the_token_and_marks_the_renewal_uncertain()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        await work.LoginAsync(server);
        issuer.Faults.DropConnectionAfterHandling("/token", times: 1);
        await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.RenewAsync(server, default));
        var status = work.Authenticator.Status(server);
        Assert.True(status.RenewalUncertain);
        Assert.True(status.CanRenew);
        Assert.Single(issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Rule_38_Signing_out_revokes_refresh_then_access_and_removes_whatever_the_issuer_answers()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        await work.LoginAsync(server);
        issuer.Faults.Answer("/revoke", 503, "", times: 2);
        var result = await work.Authenticator.DisconnectAsync(server, local: false, default);
        Assert.NotNull(result.RevocationFailure);
        Assert.Equal(["refresh_token", "access_token"], issuer.Traffic.To("/revoke").Select(r => r.FormValue("token_type_hint")));
        Assert.Equal(AuthState.NotAuthenticated, work.Authenticator.Status(server).State);
    }
}

using System.Buffers.Text;
using System.Text;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>Tokens that become invalid before they expire, or whose lifetime the issuer does not state.</summary>
public sealed class RejectedTokenTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Rejected_token_is_renewed_by_the_next_call_of_any_process()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var first = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.True(await scene.Authenticator.Tokens.RejectAsync(scene.Server, first, Cancellation));
        Assert.Equal((AuthState.Expired, true, "mcpsm auth refresh my-api"), (scene.Status.State, scene.Status.CanRenew, scene.Status.Remedy));
        var second = await scene.Work.New().Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.NotEqual(first, second);
        Assert.Equal(AuthState.Authenticated, scene.Status.State);

        // The server rejected the first token for the other processes too.
        Assert.False(await scene.Work.New().Tokens.RejectAsync(scene.Server, first, Cancellation));
        Assert.Equal(second, await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Token_rejected_by_sixteen_callers_causes_one_renewal()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var first = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        var tokens = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
        {
            var auth = scene.Work.New();
            await auth.Tokens.RejectAsync(scene.Server, first, default);
            return await auth.Tokens.GetTokenAsync(scene.Server, default);
        })));
        Assert.NotEqual(first, Assert.Single(tokens.Distinct()));
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Rejected_token_that_cannot_be_renewed_is_not_returned_again()
    {
        await using var scene = await SignInFixture.SignedInAsync(new() { IssueRefreshTokens = false });
        var token = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        foreach (var failing in new Func<Task>[] { () => scene.Authenticator.Tokens.RejectAsync(scene.Server, token, default),
            () => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, default) })
        {
            var e = await Assert.ThrowsAsync<McpAuthException>(failing);
            Assert.Equal((ErrorReason.AuthenticationRequired, "mcpsm auth login my-api"), (e.Reason, e.Remedy.InShell()));
        }
    }

    [Fact]
    public async Task Rejected_bearer_token_of_the_user_cannot_be_renewed()
    {
        using var work = new TestEnvironment();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        await work.Authenticator.Servers.SetTokenAsync(server, "its-token", null, Cancellation);
        Assert.False(await work.Authenticator.Tokens.RejectAsync(server, "another", Cancellation));
        foreach (var failing in new Func<Task>[] { () => work.Authenticator.Tokens.RejectAsync(server, "its-token", default),
            () => work.Authenticator.Tokens.GetAccessTokenAsync(server, default, renew: true) })
        {
            var e = await Assert.ThrowsAsync<McpAuthException>(failing);
            Assert.Equal((ErrorReason.AuthenticationRequired, "mcpsm auth set my-api"), (e.Reason, e.Remedy.InShell()));
        }
        Assert.Equal("its-token", await work.Authenticator.Tokens.GetTokenAsync(server, Cancellation));
    }

    [Fact]
    public async Task Rejected_token_keeps_the_record_of_a_refused_renewal()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var token = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        scene.Issuer.Faults.Answer("/token", 400);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        await scene.Authenticator.Tokens.RejectAsync(scene.Server, token, Cancellation);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Requested_renewal_that_fails_does_not_return_the_old_token()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var first = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        var second = (await scene.Authenticator.Tokens.GetAccessTokenAsync(scene.Server, Cancellation, renew: true)).Value;
        Assert.NotEqual(first, second);
        Assert.Equal(second, await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        scene.Issuer.Faults.Answer("/token", 400);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetAccessTokenAsync(scene.Server, Cancellation, renew: true));
        Assert.Equal(ErrorReason.AuthenticationRequired, e.Reason);
    }

    [FieldFault(9)]
    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("\"0\"")]
    [InlineData("0.0")]
    public async Task Lifetime_of_zero_or_less_is_treated_as_unknown(string seconds)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/token", json => json["expires_in"] = System.Text.Json.Nodes.JsonNode.Parse(seconds));
        var result = await scene.LoginAsync();
        Assert.Equal((AuthState.Unknown, null, null), (result.Status.State, result.Status.ExpiresAt, result.VerificationFailure));
        using var http = scene.Open();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.NotNull(scene.Issuer.Server.Introspect(await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation)));
    }

    [FieldFault(9)]
    [Fact]
    public async Task Lifetime_of_zero_with_a_dead_token_ends_the_sign_in()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/token", json => (json["expires_in"], json["access_token"]) = (0, "dead"));
        Assert.Equal(ErrorReason.TokenRejected, (await scene.FailsAsync()).Reason);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Fact]
    public async Task Token_without_lifetime_is_renewed_before_its_exp_claim()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.StartAsync(clock: clock);
        var end = DateTimeOffset.FromUnixTimeSeconds((clock.GetUtcNow() + TimeSpan.FromMinutes(30)).ToUnixTimeSeconds());
        var jwt = Jwt($$"""{"exp":{{end.ToUnixTimeSeconds()}}}""");
        scene.Resource.AcceptedTokens[jwt] = true;
        scene.Issuer.Faults.RewriteJson("/token", json =>
        {
            json.Remove("expires_in");
            json["access_token"] = jwt;
        }, times: 1);
        await scene.LoginAsync();
        Assert.Equal((AuthState.Authenticated, end), (scene.Status.State, scene.Status.ExpiresAt));
        Assert.Equal(jwt, await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        clock.Advance(TimeSpan.FromMinutes(30));
        Assert.NotEqual(jwt, await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
    }

    [Fact]
    public async Task Exp_claim_of_a_token_that_cannot_be_renewed_is_ignored()
    {
        await using var scene = await SignInFixture.StartAsync(new() { IssueRefreshTokens = false });
        var jwt = Jwt($$"""{"exp":{{DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds()}}}""");
        scene.Resource.AcceptedTokens[jwt] = true;
        scene.Issuer.Faults.RewriteJson("/token", json =>
        {
            json.Remove("expires_in");
            json["access_token"] = jwt;
        });
        await scene.LoginAsync();
        Assert.Null(scene.Status.ExpiresAt);
    }

    [Theory]
    [InlineData("""{"exp":1767229200}""", 1767229200L)]
    [InlineData("""{"exp":1767229200.9}""", 1767229200L)]
    [InlineData("""{"exp":1767225600}""", null)]
    [InlineData("""{"exp":1}""", null)]
    [InlineData("""{"exp":-1}""", null)]
    [InlineData("""{"exp":99999999999}""", null)]
    [InlineData("""{"exp":1e400}""", null)]
    [InlineData("""{"exp":"1767229200"}""", null)]
    [InlineData("""{"exp":null}""", null)]
    [InlineData("""{"exp":[1767229200]}""", null)]
    [InlineData("""{"\ud800":1}""", null)]
    [InlineData("{}", null)]
    [InlineData("[]", null)]
    [InlineData("{", null)]
    [InlineData("", null)]
    public void Exp_claim_of_a_JWT_is_used_only_if_plausible(string claims, long? end) =>
        Assert.Equal(end is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null, ExpiryHint.Read(Jwt(claims), Now));

    [Theory]
    [InlineData("opaque")]
    [InlineData("a.b.c")]
    [InlineData("a.!!!.c")]
    [InlineData("..")]
    [InlineData("a.b.c.d.e")]
    public void Token_that_is_not_a_JWT_has_no_expiry_hint(string token) => Assert.Null(ExpiryHint.Read(token, Now));

    private static string Jwt(string claims) => $"e30.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}.sig";
}

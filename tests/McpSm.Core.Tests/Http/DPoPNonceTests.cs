using McpSm.Core.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.Http;

/// <summary>DPoP nonces of issuers and servers (RFC 9449 sections 8 and 9).</summary>
public sealed class DPoPNonceTests
{
    private static async Task<SignInFixture> StartAsync()
    {
        var scene = await SignInFixture.StartAsync(new AuthorizationServerOptions { SupportsDPoP = true, RequireDPoPNonce = true });
        scene.Resource.DPoP = new DPoPProofs(TimeProvider.System, requireNonce: true);
        return scene;
    }

    private static async Task<SignInFixture> SignedInAsync()
    {
        var scene = await StartAsync();
        await scene.LoginAsync();
        scene.Issuer.Traffic.Clear();
        scene.Resource.Traffic.Clear();
        return scene;
    }

    private static RequestDelegate Asking(int status, string? nonce = null) => context =>
    {
        context.Response.StatusCode = status;
        context.Response.Headers["DPoP-Nonce"] = nonce ?? Guid.NewGuid().ToString();
        context.Response.Headers.WWWAuthenticate = status == 401 ? "DPoP error=\"use_dpop_nonce\"" : default;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync("""{"error":"use_dpop_nonce"}""");
    };

    [Rule(35)]
    [Fact]
    public async Task Nonces_of_issuer_and_server_are_sent_without_losing_the_code()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync();
        Assert.Equal([400, 200], scene.Issuer.Traffic.To("/token").Select(r => r.StatusCode));
        Assert.Single(scene.Issuer.Traffic.To("/token").Select(r => r.FormValue("code")).Distinct());
        // The server sent its nonce with the challenge.
        Assert.Equal([401, 200], scene.Resource.Traffic.To("/mcp").Select(r => r.StatusCode));
    }

    [Rule(35)]
    [Fact]
    public async Task New_nonce_of_the_server_costs_only_one_request()
    {
        await using var scene = await SignedInAsync();
        using var http = scene.Open(signIn: true);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        scene.Resource.DPoP!.Rotate();
        Assert.Equal((200, 200), (await scene.PingAsync(http, Cancellation), await scene.PingAsync(http, Cancellation)));
        Assert.Equal([200, 401, 200, 200], scene.Resource.Traffic.To("/mcp").Select(r => r.StatusCode));
        scene.Resource.DPoP.Rotate();
        Assert.Equal(AuthState.Authenticated, (await scene.Authenticator.Tester.ValidateAsync(scene.Server, Cancellation)).State);
        Assert.Empty(scene.Issuer.Traffic.Requests);
    }

    [Rule(35)]
    [Fact]
    public async Task Concurrent_requests_each_use_the_new_nonce()
    {
        await using var scene = await SignedInAsync();
        using var http = scene.Open();
        scene.Resource.DPoP!.Rotate();
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => scene.PingAsync(http))));
        Assert.All(answers, status => Assert.Equal(200, status));
        Assert.Empty(scene.Issuer.Traffic.Requests);
    }

    [Rule(35)]
    [Fact]
    public async Task Nonce_of_a_successful_response_is_used_next()
    {
        await using var scene = await SignedInAsync();
        using var http = scene.Open();
        var accepted = scene.Resource.DPoP!;
        scene.Resource.Faults.Before("/mcp", context =>
        {
            context.Response.OnStarting(() =>
            {
                accepted.Rotate();
                accepted.Offer(context.Response);
                return Task.CompletedTask;
            });
            return Task.CompletedTask;
        }, times: 1);
        Assert.Equal((200, 200), (await scene.PingAsync(http, Cancellation), await scene.PingAsync(http, Cancellation)));
        Assert.Equal([200, 200], scene.Resource.Traffic.To("/mcp").Select(r => r.StatusCode));
    }

    [Rule(23, 35)]
    [Fact]
    public async Task New_nonce_of_the_issuer_keeps_the_refresh_token()
    {
        await using var scene = await SignedInAsync();
        scene.Issuer.Server.DPoP!.Rotate();
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        var asked = scene.Issuer.Traffic.OfGrant("refresh_token");
        Assert.Equal([400, 200], asked.Select(r => r.StatusCode));
        Assert.Single(asked.Select(r => r.FormValue("refresh_token")).Distinct());
        Assert.False(scene.Status.RenewalUncertain);
    }

    [Rule(23, 35)]
    [Fact]
    public async Task Response_lost_after_the_nonce_makes_the_renewal_uncertain()
    {
        await using var scene = await SignedInAsync();
        scene.Issuer.Faults.Intercept("/token", Asking(400, scene.Issuer.Server.DPoP!.Nonce), times: 1);
        scene.Issuer.Faults.DropConnectionAfterHandling("/token", times: 1);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.True(e.OutcomeUnknown);
        Assert.True(scene.Status is { RenewalUncertain: true, CanRenew: true });
    }

    [Rule(35)]
    [Fact]
    public async Task Server_that_always_asks_for_a_nonce_gets_two_requests()
    {
        await using var scene = await SignedInAsync();
        scene.Resource.Faults.Intercept("/mcp", Asking(401));
        using var http = scene.Open(signIn: true);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.PingAsync(http, Cancellation));
        Assert.Equal((ErrorReason.ProtocolViolation, "my-api"), (e.Reason, e.Server));
        Assert.Equal(2, scene.Resource.Traffic.Count("/mcp"));
        Assert.Empty(scene.Issuer.Traffic.Requests);
    }

    [Rule(35)]
    [Fact]
    public async Task Issuer_that_always_asks_for_a_nonce_gets_two_requests()
    {
        await using var scene = await SignedInAsync();
        scene.Issuer.Faults.Intercept("/token", Asking(400));
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal((ErrorReason.TokenResponseInvalid, "use_dpop_nonce"), (e.Reason, e.OAuthError));
        Assert.Equal(2, scene.Issuer.Traffic.Count("/token"));
        scene.Issuer.Faults.Clear();
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.False(scene.Status.RenewalUncertain);
    }

    [Rule(35)]
    [Fact]
    public async Task Nonce_with_invalid_syntax_is_not_sent()
    {
        await using var scene = await SignedInAsync();
        scene.Issuer.Faults.Intercept("/token", Asking(400, "a b"));
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Single(scene.Issuer.Traffic.To("/token"));
    }
}

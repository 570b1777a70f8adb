using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.HttpAuthentication;

/// <summary>A handler that can sign in: once for all waiting requests, and never in a loop.</summary>
public sealed class HandlerSignInTests
{
    [Rule(2)]
    [Fact]
    public async Task First_request_signs_in_after_the_401_and_is_sent_again()
    {
        await using var scene = await SignInFixture.StartAsync();
        using var http = scene.Open(signIn: true);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal([401, 200], scene.Resource.Traffic.To("/mcp").Select(r => r.StatusCode));
        Assert.Single(scene.Resource.Traffic.To("/mcp").Select(r => r.Body).Distinct());
        Assert.Single(scene.Person.Visited);
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Single(scene.Person.Visited);
    }

    [Fact]
    public async Task Challenge_after_an_open_handshake_signs_in()
    {
        await using var scene = await SignInFixture.StartAsync(new() { ScopesSupported = ["mcp:tools", "mcp:other"] });
        scene.Resource.Faults.RewriteJson("/.well-known", json => json["scopes_supported"] = null);
        scene.Resource.Open = true;
        using var http = scene.Open(signIn: true);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Empty(scene.Person.Visited);
        scene.Resource.Open = false;
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal("mcp:tools", Assert.Single(scene.Issuer.Traffic.To("/authorize", "GET")).QueryValue("scope"));
    }

    [Fact]
    public async Task Challenge_with_status_403_signs_in()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.ChallengeStatus = 403;
        using var http = scene.Open(signIn: true);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Single(scene.Person.Visited);
    }

    [Fact]
    public async Task Concurrent_requests_sign_in_once()
    {
        await using var scene = await SignInFixture.StartAsync();
        using var http = scene.Open(signIn: true);
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => scene.PingAsync(http))));
        Assert.All(answers, status => Assert.Equal(200, status));
        Assert.Single(scene.Person.Visited);
    }

    [Fact]
    public async Task Rejected_refresh_token_leads_to_a_sign_in()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Server.RevokeAllTokens();
        using var http = scene.Open(signIn: true);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal(2, scene.Person.Visited.Count);
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Expired_token_with_a_rejected_refresh_token_leads_to_a_sign_in()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        scene.Issuer.Server.RevokeAllTokens();
        clock.Advance(TimeSpan.FromHours(2));
        using var http = scene.Open(signIn: true);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal(2, scene.Person.Visited.Count);
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Denied_sign_in_is_not_repeated_but_a_later_credential_is_used()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Deny();
        using var http = scene.Open(signIn: true);
        for (var i = 0; i < 3; i++)
        {
            var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.PingAsync(http, Cancellation));
            Assert.Equal((ErrorReason.AuthorizationDenied, "my-api"), (e.Reason, e.Server));
        }
        Assert.Single(scene.Person.Visited);

        scene.Issuer.Faults.Clear();
        await scene.LoginAsync();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal(2, scene.Person.Visited.Count);
    }

    [Fact]
    public async Task Request_after_a_cancelled_one_uses_the_sign_in_that_went_on()
    {
        await using var scene = await SignInFixture.StartAsync();
        using var cancellation = new CancellationTokenSource();
        scene.Person.Browse = async url =>
        {
            await cancellation.CancelAsync();
            await Task.Delay(200);
            using var page = await StandInBrowser.ClickThroughAsync(url);
        };
        using var http = scene.Open(signIn: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.PingAsync(http, cancellation.Token));
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Single(scene.Person.Visited);
    }

    [Fact]
    public async Task Disposed_handler_ends_its_sign_in()
    {
        await using var scene = await SignInFixture.StartAsync();
        var opened = new TaskCompletionSource<Uri>();
        scene.Person.Browse = url =>
        {
            opened.TrySetResult(url);
            return Task.CompletedTask;
        };
        var http = scene.Open(signIn: true);
        var pinging = scene.PingAsync(http, Cancellation);
        var url = await opened.Task;
        http.Dispose();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pinging);
        await Assert.ThrowsAsync<HttpRequestException>(() => StandInBrowser.ClickThroughAsync(url, cancellationToken: Cancellation));
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Fact]
    public async Task New_token_that_the_server_refuses_is_neither_stored_nor_requested_again()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.Introspect = _ => null;
        using var http = scene.Open(signIn: true);
        for (var i = 0; i < 2; i++)
        {
            var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.PingAsync(http, Cancellation));
            Assert.Equal((ErrorReason.TokenRejected, "my-api", 401), (e.Reason, e.Server, e.StatusCode));
        }
        Assert.Single(scene.Person.Visited);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
        Assert.Equal(2, scene.Issuer.Traffic.Count("/revoke"));
    }

    [Fact]
    public async Task Request_without_a_user_reports_that_interaction_is_required()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Person.CanAnswer = false;
        using var http = scene.Open(signIn: true);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.PingAsync(http, Cancellation));
        Assert.Equal((ErrorReason.InteractionRequired, "my-api"), (e.Reason, e.Server));
    }

    [Fact]
    public async Task Unavailable_issuer_is_tried_again_by_the_next_request()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.Answer("/register", 503);
        using var http = scene.Open(signIn: true);
        Assert.Equal(ErrorReason.ServerUnreachable, (await Assert.ThrowsAsync<McpAuthException>(() => scene.PingAsync(http, Cancellation))).Reason);
        scene.Issuer.Faults.Clear();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
    }

    [Rule(7, 15)]
    [Fact]
    public async Task Server_with_a_new_issuer_is_signed_in_with_a_new_client()
    {
        await using var scene = await SignInFixture.SignedInAsync(new() { IssueRefreshTokens = false });
        await using var second = await TestIssuer.StartAsync();
        using var http = scene.Open(signIn: true);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        scene.Resource.Issuers = [second.Issuer];
        scene.Resource.Introspect = second.Server.Introspect;
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));

        Assert.Equal(second.Issuer, scene.Status.Issuer);
        var old = Assert.Single(scene.Issuer.Server.Clients).ClientId;
        Assert.DoesNotContain(second.Traffic.Requests, r => (r.QueryString + r.Body + r.Header("Authorization")).Contains(old));
        Assert.Equal(1, second.Traffic.Count("/register"));
        Assert.Contains(scene.Person.Warnings, n => n.Contains(scene.Issuer.Issuer) && n.Contains(second.Issuer));
    }

    private static Task<SignInFixture> StartForJobAsync() => SignInFixture.StartAsync(new()
    {
        PreRegisteredClients = [new RegisteredClient("job", "s3cret", [], "client_secret_basic")],
        ScopesSupported = ["mcp:tools", "mcp:write"],
    });

    private static readonly ClientCredentials Job = new("job", "s3cret");

    [Rule(24, 33)]
    [Fact]
    public async Task Client_signs_in_renews_and_steps_up_without_a_user()
    {
        await using var scene = await StartForJobAsync();
        scene.Person.CanAnswer = false;
        using var http = scene.Open(signIn: true, client: Job);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        scene.Issuer.Server.Expire(await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        scene.Resource.Scope = "mcp:write";
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal(["mcp:tools", "mcp:tools", "mcp:tools mcp:write"],
            scene.Issuer.Traffic.OfGrant("client_credentials").Select(r => r.FormValue("scope")));
        Assert.Empty(scene.Person.Visited);
    }

    [Fact]
    public async Task User_does_not_replace_a_client_without_a_request()
    {
        await using var scene = await StartForJobAsync();
        await scene.LoginAsync(o => o with { ClientCredentials = Job });
        using var http = scene.Open(signIn: true);
        scene.Resource.Scope = "mcp:write";
        Assert.Equal(403, await scene.PingAsync(http, Cancellation));
        scene.Resource.Introspect = _ => null;
        Assert.Equal(401, await scene.PingAsync(http, Cancellation));
        Assert.Empty(scene.Person.Visited);
    }
}

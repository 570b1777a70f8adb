using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.HttpAuthentication;

/// <summary>How the handler authenticates requests with the stored credential.</summary>
public sealed class HandlerTests
{
    [Fact]
    public async Task Handler_renews_before_the_token_expires()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        scene.Resource.Traffic.Clear();
        using var http = scene.Open();
        for (var hour = 0; hour < 3; hour++)
        {
            Assert.Equal(200, await scene.PingAsync(http, Cancellation));
            clock.Advance(TimeSpan.FromMinutes(59.5));
        }
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal(3, scene.Issuer.Traffic.OfGrant("refresh_token").Count);
        Assert.All(scene.Resource.Traffic.Requests, r => Assert.Equal(200, r.StatusCode));
        Assert.Equal(4, scene.Resource.Traffic.Requests.Select(r => r.Header("Authorization")).Distinct().Count());
    }

    [Rule(23)]
    [Fact]
    public async Task Token_renewed_by_another_process_is_used()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        using var http = scene.Open();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        clock.Advance(TimeSpan.FromMinutes(59.5));
        var renewed = await scene.Work.New().Tokens.RenewNowAsync(scene.Server, Cancellation);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal($"Bearer {renewed.AccessToken}", scene.Resource.Traffic.Requests[^1].Header("Authorization"));

        scene.Issuer.Server.Expire(renewed.AccessToken);
        var again = await scene.Work.New().Tokens.RenewNowAsync(scene.Server, Cancellation);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal($"Bearer {again.AccessToken}", scene.Resource.Traffic.Requests[^1].Header("Authorization"));
        Assert.Equal(2, scene.Issuer.Traffic.OfGrant("refresh_token").Count);
    }

    [Rule(23)]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Concurrent_requests_renew_once(bool due)
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        using var http = scene.Open();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        if (due)
        {
            clock.Advance(TimeSpan.FromMinutes(59.5));
        }
        else
        {
            scene.Issuer.Server.Expire(await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        }
        scene.Issuer.Faults.Delay("/token", TimeSpan.FromMilliseconds(200));
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => scene.PingAsync(http))));
        Assert.All(answers, status => Assert.Equal(200, status));
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Rule(23)]
    [Fact]
    public async Task Cancelled_request_does_not_lose_the_renewal()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        using var http = scene.Open();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        scene.Issuer.Server.Expire(await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        using var cancellation = new CancellationTokenSource();
        scene.Issuer.Faults.Before("/token", async _ =>
        {
            await cancellation.CancelAsync();
            await Task.Delay(200);
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.PingAsync(http, cancellation.Token));
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
        Assert.False(scene.Status.RenewalUncertain);
    }

    [Fact]
    public async Task Failed_early_renewal_uses_the_token_until_it_expires()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        using var http = scene.Open();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        clock.Advance(TimeSpan.FromMinutes(59.5));
        scene.Issuer.Faults.Answer("/token", 503);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));

        clock.Advance(TimeSpan.FromMinutes(1));
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.PingAsync(http, Cancellation));
        Assert.Equal((ErrorReason.ServerUnreachable, "my-api"), (e.Reason, e.Server));
        scene.Issuer.Faults.Clear();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
    }

    [Fact]
    public async Task Unauthorized_response_without_credential_is_returned_to_the_caller()
    {
        await using var scene = await SignInFixture.StartAsync();
        using var http = scene.Open();
        Assert.Equal(401, await scene.PingAsync(http, Cancellation));
        var result = await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(10), Cancellation);
        Assert.Equal(ErrorReason.AuthenticationRequired, result.Reason);
        Assert.Empty(scene.Person.Visited);
        Assert.Empty(scene.Issuer.Traffic.Requests);
    }

    [Fact]
    public async Task Server_that_refuses_every_token_gets_two_requests()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Resource.Introspect = _ => null;
        scene.Resource.Traffic.Clear();
        using var http = scene.Open();
        Assert.Equal(401, await scene.PingAsync(http, Cancellation));
        Assert.Equal(2, scene.Resource.Traffic.Requests.Count);
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Request_stream_is_sent_twice_and_the_request_is_restored()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.Authenticator.Servers.UpdateAsync(scene.Server,
            new ServerUpdate { Headers = new Dictionary<string, string> { ["X-Key"] = "k1" } }, Cancellation);
        scene.Issuer.Server.Expire(await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        scene.Resource.Traffic.Clear();
        using var http = scene.Open();
        using var request = new HttpRequestMessage(HttpMethod.Post, scene.Resource.McpUrl)
        {
            Content = new StreamContent(new OneWay(SignInFixture.Ping)),
            Headers = { { "Mcp-Session-Id", "s1" } },
        };
        using var answer = await http.SendAsync(request, Cancellation);
        Assert.Equal([401, 200], scene.Resource.Traffic.Requests.Select(r => r.StatusCode));
        Assert.All(scene.Resource.Traffic.Requests, r =>
            Assert.Equal((SignInFixture.Ping, "s1", "k1"), (r.Body, r.Header("Mcp-Session-Id"), r.Header("X-Key"))));
        Assert.Same(request, answer.RequestMessage);
        Assert.Equal("Mcp-Session-Id", Assert.Single(request.Headers).Key);
    }

    [Fact]
    public async Task Response_body_is_streamed()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        using var read = new SemaphoreSlim(0);
        scene.Resource.Faults.Intercept("/mcp", async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: one\n\n");
            await context.Response.Body.FlushAsync();
            await read.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync("data: two\n\n");
        });
        using var http = scene.Open();
        using var answer = await http.GetAsync(scene.Resource.McpUrl, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancellation));
        Assert.Equal("data: one", await lines.ReadLineAsync(Cancellation));
        read.Release();
        Assert.Contains("data: two", await lines.ReadToEndAsync(Cancellation));
    }

    [Fact]
    public async Task Token_revoked_by_another_process_is_sent_once_more_and_then_dropped()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        using var http = scene.Open();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        await scene.Work.New().SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        scene.Resource.Traffic.Clear();
        Assert.Equal(401, await scene.PingAsync(http, Cancellation));
        Assert.Equal(401, await scene.PingAsync(http, Cancellation));
        Assert.NotNull(scene.Resource.Traffic.Requests[0].Header("Authorization"));
        Assert.Null(scene.Resource.Traffic.Requests[1].Header("Authorization"));
    }

    [Fact]
    public async Task Bearer_token_replaced_by_another_process_is_used()
    {
        await using var scene = await SignInFixture.StartAsync(resource: new() { AcceptedTokens = ["t1", "t2"] });
        await scene.Authenticator.Servers.SetTokenAsync(scene.Server, "t1", null, Cancellation);
        using var http = scene.Open(signIn: true);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        scene.Resource.AcceptedTokens.TryRemove("t1", out _);
        await scene.Work.New().Servers.SetTokenAsync(scene.Server, "t2", null, Cancellation);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));

        scene.Resource.AcceptedTokens.TryRemove("t2", out _);
        Assert.Equal(401, await scene.PingAsync(http, Cancellation));
        Assert.Empty(scene.Person.Visited);
        Assert.Equal(AuthState.BearerToken, scene.Status.State);
    }

    [Rule(22)]
    [Theory]
    [InlineData(McpTransport.Http, "/mcp", true)]
    [InlineData(McpTransport.Http, "/mcp/messages?session=1", true)]
    [InlineData(McpTransport.Http, "/mcp2", false)]
    [InlineData(McpTransport.Http, "/", false)]
    [InlineData(McpTransport.Sse, "/messages?session=1", true)]
    public async Task Token_is_sent_to_the_server_URL_and_over_SSE_to_its_origin(McpTransport transport, string path, bool goes)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.ChangeServerAsync(s => new(s) { Transport = transport });
        scene.Resource.Traffic.Clear();
        using var http = scene.Open(signIn: true);
        var sending = http.GetAsync(new Uri(scene.Resource.McpUrl, path), Cancellation);
        if (goes)
        {
            await sending;
            Assert.StartsWith("Bearer at_", Assert.Single(scene.Resource.Traffic.Requests).Header("Authorization"));
        }
        else
        {
            Assert.Equal(ErrorReason.UnsafeEndpoint, (await Assert.ThrowsAsync<McpAuthException>(() => sending)).Reason);
            Assert.Empty(scene.Resource.Traffic.Requests);
        }
    }

    [Fact]
    public async Task Unreachable_server_fails_with_the_network_error()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        using var http = scene.Open(signIn: true);
        var url = scene.Resource.McpUrl;
        await scene.Resource.DisposeAsync();
        await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(url, Cancellation));
    }

    /// <summary>A stream that can be read once.</summary>
    private sealed class OneWay(string text) : MemoryStream(System.Text.Encoding.UTF8.GetBytes(text))
    {
        public override bool CanSeek => false;
    }
}

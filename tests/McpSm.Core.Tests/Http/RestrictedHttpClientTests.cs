using System.Diagnostics;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Http;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Http;

public sealed class RestrictedHttpClientTests
{
    private static readonly Uri Public = new("https://server.example/mcp");
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(400);

    private static async Task<McpAuthException> FailsAsync(Uri url, UrlPolicy? policy = null, TimeSpan? limit = null)
    {
        using var http = new RestrictedHttpClient(policy ?? new UrlPolicy(url), timeLimit: limit);
        return await Assert.ThrowsAsync<McpAuthException>(() => http.GetAsync(url.AbsoluteUri, "It", default).WaitAsync(TimeSpan.FromSeconds(20)));
    }

    private static RawServer Redirecting(string location) => RawServer.Answering(
        $"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

    [Rule(30)]
    [Fact]
    public async Task Request_to_a_hanging_server_times_out()
    {
        await using var server = RawServer.Hanging();
        var e = await FailsAsync(server.Url, limit: Limit);
        Assert.Equal(ErrorReason.ServerUnreachable, e.Reason);
        Assert.True(e.OutcomeUnknown);
    }

    [FieldFault(14)]
    [Rule(30)]
    [Fact]
    public async Task Slow_response_does_not_extend_the_timeout()
    {
        await using var server = RawServer.Dripping(new string(' ', 100) + "{}", TimeSpan.FromMilliseconds(100));
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(ErrorReason.ServerUnreachable, (await FailsAsync(server.Url, limit: Limit)).Reason);
        Assert.InRange(Stopwatch.GetElapsedTime(started), Limit / 2, TimeSpan.FromSeconds(5));
    }

    [FieldFault(15)]
    [Rule(30)]
    [Fact]
    public async Task Response_of_5_MB_is_not_read_to_its_end()
    {
        await using var server = RawServer.LargeJson();
        var e = await FailsAsync(server.Url);
        Assert.Equal(ErrorReason.MetadataInvalid, e.Reason);
        Assert.Contains("more than 1 MiB", e.Message);
    }

    [Rule(30)]
    [Fact]
    public async Task Truncated_response_is_an_error()
    {
        await using var server = RawServer.ClosingMidBody();
        var e = await FailsAsync(server.Url);
        Assert.Equal(ErrorReason.ServerUnreachable, e.Reason);
        Assert.True(e.OutcomeUnknown);
    }

    [Rule(30)]
    [Theory]
    [InlineData("hello\r\n\r\n")]
    [InlineData("HTTP/1.1 999999 X\r\n\r\n")]
    [InlineData("")]
    public async Task Response_that_is_not_HTTP_is_an_error(string answer)
    {
        await using var server = RawServer.Answering(answer);
        Assert.Equal(ErrorReason.ServerUnreachable, (await FailsAsync(server.Url)).Reason);
    }

    [Rule(30)]
    [Fact]
    public async Task Sign_in_with_a_faulty_issuer_response_is_one_error()
    {
        await using var scene = await SignInFixture.StartAsync();
        await using var large = RawServer.LargeJson();
        await using var cut = RawServer.ClosingMidBody();
        foreach (var (issuer, reason) in new[] { (large, ErrorReason.MetadataInvalid), (cut, ErrorReason.ServerUnreachable) })
        {
            scene.Resource.Issuers = [issuer.Url.AbsoluteUri.TrimEnd('/')];
            Assert.Equal(reason, (await scene.FailsAsync()).Reason);
        }
        Assert.Empty(scene.Person.Visited);
    }

    [Rule(30)]
    [Theory]
    [InlineData("http://public.example/x")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https://user:pw@127.0.0.1/x")]
    [InlineData("https://169.254.169.254/latest/meta-data")]
    [InlineData("https://0.0.0.0/x")]
    public async Task Redirect_to_an_unsafe_URL_is_refused(string location)
    {
        await using var server = Redirecting(location);
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await FailsAsync(server.Url)).Reason);
        Assert.Equal(1, server.Connections);
    }

    [Rule(30)]
    [Theory]
    [InlineData("http://[")]
    [InlineData("//[x")]
    [InlineData("http://a:b:c/")]
    [InlineData("https://xn--/")]
    [InlineData("//\u202e")]
    [InlineData("http:\u202e")]
    [InlineData("http://\u202e\ufffd/")]
    public async Task Redirect_to_an_invalid_URL_is_not_followed_or_refused(string location)
    {
        await using var server = Redirecting(location);
        using var http = new RestrictedHttpClient(new UrlPolicy(server.Url));
        try
        {
            Assert.Equal(302, (await http.GetAsync(server.Url.AbsoluteUri, "It", Cancellation)).Status);
        }
        catch (McpAuthException e)
        {
            Assert.Contains(e.Reason, new[] { ErrorReason.UnsafeEndpoint, ErrorReason.MetadataInvalid, ErrorReason.ServerUnreachable });
        }
        await ChallengeProbe.SendAsync(http, server.Url, isSse: false, new Dictionary<string, string>(), null, Cancellation);
    }

    [Rule(30)]
    [Fact]
    public async Task Redirect_within_the_local_machine_is_followed()
    {
        await using var target = await TestMcpServer.StartAsync();
        await using var server = Redirecting(target.ResourceMetadataUrl.AbsoluteUri);
        using var http = new RestrictedHttpClient(new UrlPolicy(server.Url));
        Assert.Equal(200, (await http.GetAsync(server.Url.AbsoluteUri, "It", Cancellation)).Status);
        Assert.Single(target.Traffic.Requests);
    }

    [Rule(30)]
    [Fact]
    public async Task Redirect_of_a_public_server_to_the_local_machine_is_refused()
    {
        await using var target = RawServer.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await using var server = Redirecting($"http://localhost:{target.Url.Port}/");
        // A public server with an issuer that the user pinned on this machine: only the pinned name is trusted.
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await FailsAsync(server.Url, new UrlPolicy(Public, server.Url))).Reason);
        Assert.Equal(0, target.Connections);
    }

    [Rule(30)]
    [Theory]
    [InlineData(5, true)]
    [InlineData(6, false)]
    public async Task Redirects_are_followed_five_times_at_most(int redirects, bool arrives)
    {
        await using var server = await TestMcpServer.StartAsync();
        server.Faults.Intercept("/hop", context =>
        {
            var remaining = int.Parse(context.Request.Path.Value!.Split('/')[2]);
            context.Response.StatusCode = remaining == 0 ? 200 : 301;
            context.Response.Headers.Location = remaining == 0 ? default : $"../hop/{remaining - 1}";
            return Task.CompletedTask;
        });
        using var http = new RestrictedHttpClient(new UrlPolicy(server.McpUrl));
        var get = () => http.GetAsync(new Uri(server.McpUrl, $"/hop/{redirects}").AbsoluteUri, "It", default);
        if (arrives)
        {
            Assert.Equal(200, (await get()).Status);
        }
        else
        {
            Assert.Equal(ErrorReason.MetadataInvalid, (await Assert.ThrowsAsync<McpAuthException>(get)).Reason);
        }
        Assert.Equal(6, server.Traffic.Requests.Count);
    }

    [Rule(30)]
    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task POST_with_redirect_response_is_not_followed(int status)
    {
        await using var server = await TestMcpServer.StartAsync();
        server.Faults.Intercept("/from", context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "/to";
            return Task.CompletedTask;
        });
        using var http = new RestrictedHttpClient(new UrlPolicy(server.McpUrl));
        using var answer = await http.Protocol.PostAsync(new Uri(server.McpUrl, "/from"), new StringContent("secret"), Cancellation);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Empty(server.Traffic.To("/to"));
    }

    [Rule(30)]
    [Fact]
    public async Task Public_name_that_resolves_to_loopback_is_refused_before_connecting()
    {
        await using var server = RawServer.Hanging();
        var network = new FakeNetwork { Names = { ["issuer.example"] = ["127.0.0.1"] } };
        var url = new Uri($"https://issuer.example:{server.Url.Port}/x");
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await FailsAsync(url, new UrlPolicy(Public) { Network = network })).Reason);
        Assert.Equal(0, server.Connections);
        Assert.Empty(network.Tried);
    }

    [Rule(30)]
    [Fact]
    public void Local_server_can_lead_to_loopback_but_not_to_link_local()
    {
        var policy = new UrlPolicy(new Uri("http://127.0.0.1:1/mcp"));
        policy.Check("http://localhost:2/x", "It");
        policy.Check("http://[::1]:2/x", "It");
        Assert.Throws<McpAuthException>(() => policy.Check("https://169.254.169.254/x", "It"));
    }
}

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
    public async Task A_server_that_hangs_is_left()
    {
        await using var server = RawServer.Hanging();
        var e = await FailsAsync(server.Url, limit: Limit);
        Assert.Equal(ErrorReason.ServerUnreachable, e.Reason);
        Assert.True(e.OutcomeUnknown);
    }

    [FieldFault(14)]
    [Rule(30)]
    [Fact]
    public async Task A_byte_now_and_then_does_not_stretch_the_time()
    {
        await using var server = RawServer.Dripping(new string(' ', 100) + "{}", TimeSpan.FromMilliseconds(100));
        var started = Stopwatch.GetTimestamp();
        Assert.Equal(ErrorReason.ServerUnreachable, (await FailsAsync(server.Url, limit: Limit)).Reason);
        Assert.InRange(Stopwatch.GetElapsedTime(started), Limit / 2, TimeSpan.FromSeconds(5));
    }

    [FieldFault(15)]
    [Rule(30)]
    [Fact]
    public async Task An_answer_of_5_MB_is_not_read_to_its_end()
    {
        await using var server = RawServer.LargeJson();
        var e = await FailsAsync(server.Url);
        Assert.Equal(ErrorReason.MetadataInvalid, e.Reason);
        Assert.Contains("more than 1 MiB", e.Message);
    }

    [Rule(30)]
    [Fact]
    public async Task An_answer_that_ends_in_its_middle_is_none()
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
    public async Task An_answer_that_is_no_http_is_none(string answer)
    {
        await using var server = RawServer.Answering(answer);
        Assert.Equal(ErrorReason.ServerUnreachable, (await FailsAsync(server.Url)).Reason);
    }

    [Rule(30)]
    [Fact]
    public async Task Nothing_that_an_issuer_does_on_the_wire_ends_a_sign_in_otherwise()
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
    public async Task A_redirect_is_checked_like_any_url(string location)
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
    public async Task A_redirect_to_what_is_no_url_is_none_or_fails_as_ours(string location)
    {
        await using var server = Redirecting(location);
        using var http = new RestrictedHttpClient(new UrlPolicy(server.Url));
        try
        {
            Assert.Equal(302, (await http.GetAsync(server.Url.AbsoluteUri, "It", default)).Status);
        }
        catch (McpAuthException e)
        {
            Assert.Contains(e.Reason, new[] { ErrorReason.UnsafeEndpoint, ErrorReason.MetadataInvalid, ErrorReason.ServerUnreachable });
        }
        await ChallengeProbe.SendAsync(http, server.Url, isSse: false, new Dictionary<string, string>(), null, default);
    }

    [Rule(30)]
    [Fact]
    public async Task A_redirect_from_this_machine_to_itself_is_followed()
    {
        await using var target = await TestMcpServer.StartAsync();
        await using var server = Redirecting(target.ResourceMetadataUrl.AbsoluteUri);
        using var http = new RestrictedHttpClient(new UrlPolicy(server.Url));
        Assert.Equal(200, (await http.GetAsync(server.Url.AbsoluteUri, "It", default)).Status);
        Assert.Single(target.Traffic.Requests);
    }

    [Rule(30)]
    [Fact]
    public async Task Of_a_public_server_a_redirect_into_this_machine_is_refused()
    {
        await using var target = RawServer.Answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await using var server = Redirecting($"http://localhost:{target.Url.Port}/");
        // Where the user pinned an issuer here for a public server, that name alone is trusted.
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await FailsAsync(server.Url, new UrlPolicy(Public, server.Url))).Reason);
        Assert.Equal(0, target.Connections);
    }

    [Rule(30)]
    [Theory]
    [InlineData(5, true)]
    [InlineData(6, false)]
    public async Task Five_redirects_are_followed_and_no_sixth(int redirects, bool arrives)
    {
        await using var server = await TestMcpServer.StartAsync();
        server.Faults.Intercept("/hop", context =>
        {
            var left = int.Parse(context.Request.Path.Value!.Split('/')[2]);
            context.Response.StatusCode = left == 0 ? 200 : 301;
            context.Response.Headers.Location = left == 0 ? default : $"../hop/{left - 1}";
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
    public async Task A_POST_follows_no_redirect(int status)
    {
        await using var server = await TestMcpServer.StartAsync();
        server.Faults.Intercept("/from", context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = "/to";
            return Task.CompletedTask;
        });
        using var http = new RestrictedHttpClient(new UrlPolicy(server.McpUrl));
        using var answer = await http.Protocol.PostAsync(new Uri(server.McpUrl, "/from"), new StringContent("secret"));
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Empty(server.Traffic.To("/to"));
    }

    [Rule(30)]
    [Fact]
    public async Task A_public_name_that_resolves_to_this_machine_is_refused_before_a_connection()
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
    public void A_server_on_this_machine_may_lead_to_this_machine_and_not_to_its_link()
    {
        var policy = new UrlPolicy(new Uri("http://127.0.0.1:1/mcp"));
        policy.Check("http://localhost:2/x", "It");
        policy.Check("http://[::1]:2/x", "It");
        Assert.Throws<McpAuthException>(() => policy.Check("https://169.254.169.254/x", "It"));
    }
}

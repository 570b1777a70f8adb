using System.Diagnostics;
using System.Text;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Discovery;

/// <summary>MCP servers with transport faults, and unusual servers that are usable.</summary>
public sealed class WireServerTests
{
    [Rule(30)]
    [Theory]
    [InlineData("silence", ErrorReason.ServerUnreachable)]
    [InlineData("a header without end", ErrorReason.ServerUnreachable)]
    [InlineData("1xx without end", ErrorReason.ServerUnreachable)]
    [InlineData("no http", ErrorReason.ServerUnreachable)]
    [InlineData("100 KB of headers", ErrorReason.ProtocolViolation)]
    [InlineData("10,000 cookies", ErrorReason.ProtocolViolation)]
    [InlineData("a redirect to itself", ErrorReason.ProtocolViolation)]
    [InlineData("a redirect to a script", ErrorReason.ProtocolViolation)]
    [InlineData("a redirect to nowhere", ErrorReason.ProtocolViolation)]
    [InlineData("another protocol", ErrorReason.ProtocolViolation)]
    [InlineData("a web page", ErrorReason.ProtocolViolation)]
    public async Task Wire_fault_in_the_first_response_of_the_server_is_one_error(string fault, ErrorReason reason)
    {
        await using var raw = WireFaults.Start(fault, "{}");
        using var work = new TestEnvironment();
        var server = await work.AddAsync(raw.Url);
        var timeout = TimeSpan.FromSeconds(WireFaults.Endless.Contains(fault) ? 1 : 20);
        var started = Stopwatch.GetTimestamp();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server, o => o with { Timeout = timeout }));
        Assert.Equal(reason, e.Reason);
        Assert.DoesNotContain("javascript", e.Message);
        var tested = await work.Authenticator.Tester.TestAsync(server, timeout, Cancellation);
        Assert.Equal(reason, tested.Reason);
        Assert.DoesNotContain("javascript", tested.Error);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(15));
        Assert.Equal(AuthState.NotAuthenticated, work.Authenticator.Status(server).State);
        Assert.Empty(work.Person.Visited);
    }

    [Rule(30)]
    [Theory]
    [InlineData("a byte now and then", ErrorReason.ServerUnreachable)]
    [InlineData("the end of the connection", ErrorReason.ProtocolViolation)]
    [InlineData("a reset", ErrorReason.ProtocolViolation)]
    [InlineData("a gzip bomb", ErrorReason.ProtocolViolation)]
    [InlineData("nothing", ErrorReason.ProtocolViolation)]
    public async Task Wire_fault_in_the_response_to_a_test_is_one_error(string fault, ErrorReason reason)
    {
        await using var raw = WireFaults.Start(fault, "{}");
        using var work = new TestEnvironment();
        var started = Stopwatch.GetTimestamp();
        var tested = await work.Authenticator.Tester.TestAsync(await work.AddAsync(raw.Url),
            TimeSpan.FromSeconds(fault == "a byte now and then" ? 1 : 20), Cancellation);
        Assert.Equal(reason, tested.Reason);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(15));
    }

    [Theory]
    [InlineData(402)]
    [InlineData(403)]
    [InlineData(418)]
    [InlineData(429)]
    public async Task Refusal_without_challenge_or_metadata_is_not_an_open_server(int status)
    {
        await using var scene = await SignInFixture.StartAsync(resource: new() { MetadataAtPath = false });
        scene.Resource.Faults.Answer("/mcp", status);
        var e = await scene.FailsAsync();
        Assert.Equal((status == 429 ? ErrorReason.ServerUnreachable : ErrorReason.ProtocolViolation, status), (e.Reason, e.StatusCode));
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Rule(22, 30)]
    [Fact]
    public async Task Redirect_of_requests_with_a_token_is_not_followed()
    {
        await using var scene = await SignInFixture.StartAsync();
        await using var other = await TestMcpServer.StartAsync();
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new() { Headers = new Dictionary<string, string> { ["X-Key"] = "secret" } }, Cancellation);
        scene.Resource.Faults.Intercept("/mcp", context =>
        {
            var known = context.Request.Headers.Authorization.Count > 0;
            context.Response.StatusCode = known ? 307 : 401;
            context.Response.Headers.Location = other.McpUrl.AbsoluteUri;
            context.Response.Headers.WWWAuthenticate = $"Bearer resource_metadata=\"{scene.Resource.ResourceMetadataUrl}\"";
            return Task.CompletedTask;
        });
        Assert.Contains("307", (await scene.LoginAsync()).VerificationFailure);
        Assert.Equal(ErrorReason.ProtocolViolation, (await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(10), Cancellation)).Reason);
        await scene.Authenticator.Tester.ValidateAsync(scene.Server, Cancellation);
        Assert.InRange(scene.Resource.Traffic.Count("/mcp"), 4, 10);
        Assert.All(scene.Resource.Traffic.To("/mcp"), r => Assert.Equal("secret", r.Header("X-Key")));
        Assert.Empty(other.Traffic.Requests);
    }

    [Theory]
    [InlineData("HTTP/1.0")]
    [InlineData("HTTP/1.1")]
    public async Task Server_with_unusual_HTTP_headers_is_signed_in(string version)
    {
        await using var scene = await SignInFixture.StartAsync();
        RawServer? unusual = null;
        unusual = RawServer.Start(async (request, stream, cancellationToken) =>
        {
            var path = request.Split(' ')[1];
            var (status, body) = path.StartsWith("/.well-known")
                ? (200, $$"""{"resource":"{{unusual!.Url}}mcp","authorization_servers":["{{scene.Issuer.Issuer}}"]}""")
                : request.Contains("Authorization: Bearer at_") ? (200, "{}") : (401, "");
            var cookies = string.Concat(Enumerable.Range(0, 500).Select(i => $"Set-Cookie: c{i}=\xff{i}; Path=/\r\n"));
            await stream.WriteAsync(Encoding.Latin1.GetBytes("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </\xe9>\r\n\r\n"
                + $"{version} {status} Caf\xe9\xff\r\nServer: \xfe\xff\r\n{cookies}Content-Type: application/json; charset=\"\xe9\r\n"
                + "WWW-Authenticate: Bearer realm=\"\xe9\xff\", error_description=\"\xc3\xa9, scope=evil\", "
                + $"resource_metadata=\"{unusual!.Url}.well-known/x\", scope=\"mcp:tools\"\r\n"
                + $"Connection: close\r\n\r\n{body}"), cancellationToken);
        });
        await using var ended = unusual;
        await scene.ChangeServerAsync(s => new(s) { Url = unusual.Url + "mcp" });
        Assert.Null((await scene.LoginAsync()).VerificationFailure);
        Assert.Equal("mcp:tools", Assert.Single(scene.Issuer.Traffic.To("/authorize")).QueryValue("scope"));
        Assert.True(unusual.Requests.Count > 2);
        Assert.All(unusual.Requests, r => Assert.DoesNotContain("\r\nCookie:", r, StringComparison.OrdinalIgnoreCase));
        Assert.All(unusual.Requests, r => Assert.DoesNotContain("Accept-Encoding", r, StringComparison.OrdinalIgnoreCase));
    }
}

using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpSm.HttpProxy;
using Xunit;

namespace McpSm.Relay.Tests.HttpProxy;

/// <summary>Who may call the proxy, and for what.</summary>
public sealed partial class HttpProxyAccessTests : IAsyncLifetime
{
    private const string Ping = """{"jsonrpc":"2.0","id":"p","method":"ping"}""";
    private const string Allowed = "http://localhost:6274";

    private ScriptedServer _server = null!;
    private HttpProxyFixture _proxy = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ScriptedServer.StartAsync((context, _) => SessionServer.JsonAsync(context, """{"jsonrpc":"2.0","id":"p","result":{}}"""));
        _proxy = await HttpProxyFixture.StartAsync(_server.Url, maxMessage: 64 * 1024, origins: [Allowed]);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
        Assert.Empty(_proxy.Warnings);
    }

    [Theory]
    [InlineData("127.0.0.1:{port}")]
    [InlineData("localhost:{port}")]
    [InlineData("LocalHost:{port}")]
    [InlineData("[::1]:{port}")]
    public async Task Host_of_loopback_is_accepted(string host)
    {
        Assert.StartsWith("HTTP/1.1 200 ", await _proxy.SendRawAsync(Request(host: host)));
        Assert.Single(_server.Exchanges);
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("evil.example:{port}")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:1")]
    [InlineData("127.0.0.1:{port}.evil.example")]
    [InlineData("localhost.evil.example:{port}")]
    [InlineData("evil.localhost:{port}")]
    [InlineData("127.0.0.2:{port}")]
    [InlineData("127.1:{port}")]
    [InlineData("2130706433:{port}")]
    [InlineData("[::ffff:127.0.0.1]:{port}")]
    [InlineData("0.0.0.0:{port}")]
    [InlineData("localhost.:{port}")]
    public async Task Host_of_DNS_rebinding_is_refused(string host)
    {
        Assert.Matches("^HTTP/1.1 (400|403) ", await _proxy.SendRawAsync(Request(host: host)));
        Assert.Empty(_server.Exchanges);
    }

    [Theory]
    [InlineData("GET /my-api HTTP/1.1\r\nConnection: close\r\n\r\n")]
    [InlineData("GET /my-api HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\nConnection: close\r\n\r\n")]
    [InlineData("GET /my-api HTTP/1.1\r\nHost: user@127.0.0.1:{port}\r\nConnection: close\r\n\r\n")]
    [InlineData("GET http://evil.example/my-api HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")]
    [InlineData("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")]
    public async Task Request_with_ambiguous_host_is_malformed(string request)
    {
        Assert.Matches("^HTTP/1.1 (400|403|404) ", await _proxy.SendRawAsync(request));
        Assert.Empty(_server.Exchanges);
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData("null")]
    [InlineData("http://127.0.0.1:{port}")]
    [InlineData("http://localhost:{port}")]
    [InlineData("http://localhost:62740")]
    [InlineData("http://localhost:6274.evil.example")]
    [InlineData("https://localhost:6274")]
    public async Task Origin_that_is_not_allowed_is_refused_without_permissions(string origin)
    {
        var answer = await _proxy.SendRawAsync(Request(headers: $"Origin: {origin}\r\n"));

        Assert.StartsWith("HTTP/1.1 403 ", answer);
        Assert.DoesNotContain("Access-Control-", answer);
        Assert.Empty(_server.Exchanges);
    }

    [Fact]
    public async Task Allowed_origin_may_call_and_read_the_session()
    {
        using var answer = await _proxy.PostAsync(Ping, request => request.Headers.Add("Origin", Allowed));

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([Allowed], answer.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Contains("Mcp-Session-Id", string.Join(',', answer.Headers.GetValues("Access-Control-Expose-Headers")));
        Assert.False(_server.Exchanges.Single().Headers.ContainsKey("Origin"));
    }

    [Fact]
    public async Task Two_origins_in_one_request_are_refused() =>
        Assert.StartsWith("HTTP/1.1 403 ", await _proxy.SendRawAsync(Request(headers: $"Origin: {Allowed}\r\nOrigin: https://evil.example\r\n")));

    [Fact]
    public async Task Preflight_of_allowed_origin_gets_only_headers_that_pass()
    {
        using var answer = await _proxy.SendAsync(HttpMethod.Options, request =>
        {
            request.Headers.Authorization = null;
            request.Headers.Add("Origin", Allowed);
            request.Headers.Add("Access-Control-Request-Headers", "authorization,content-type,mcp-protocol-version,x-other,cookie");
            request.Headers.Add("Access-Control-Request-Private-Network", "true");
        });

        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        Assert.Equal(["authorization, content-type, mcp-protocol-version"], answer.Headers.GetValues("Access-Control-Allow-Headers"));
        Assert.Equal(["true"], answer.Headers.GetValues("Access-Control-Allow-Private-Network"));
        Assert.Empty(_server.Exchanges);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Origin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n")]
    public async Task Preflight_without_allowed_origin_is_refused(string headers)
    {
        var answer = await _proxy.SendRawAsync($"OPTIONS /my-api HTTP/1.1\r\nHost: 127.0.0.1:{{port}}\r\nConnection: close\r\n{headers}\r\n");

        Assert.StartsWith("HTTP/1.1 403 ", answer);
        Assert.DoesNotContain("Access-Control-", answer);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Authorization: Bearer \r\n")]
    [InlineData("Authorization: Bearer wrong\r\n")]
    [InlineData("Authorization: Bearer {bearer}x\r\n")]
    [InlineData("Authorization: Bearer x{bearer}\r\n")]
    [InlineData("Authorization: {bearer}\r\n")]
    [InlineData("Authorization: Basic {bearer}\r\n")]
    [InlineData("Authorization: Bearer {bearer}, Bearer x\r\n")]
    [InlineData("Authorization: Bearer {bearer}\r\nAuthorization: Bearer {bearer}\r\n")]
    [InlineData("Authorization: Bearer token-of-the-server\r\n")]
    [InlineData("Cookie: bearer={bearer}\r\n")]
    public async Task Caller_without_the_bearer_token_gets_a_plain_challenge(string header)
    {
        var answer = await _proxy.SendRawAsync($"POST /my-api HTTP/1.1\r\nHost: 127.0.0.1:{{port}}\r\nConnection: close\r\nContent-Length: 0\r\n{header}\r\n");

        Assert.StartsWith("HTTP/1.1 401 ", answer);
        Assert.Contains("\r\nWWW-Authenticate: Bearer\r\n", answer);
        Assert.DoesNotContain("resource_metadata", answer);
        Assert.DoesNotContain(HttpProxyFixture.Bearer, answer);
        Assert.Empty(_server.Exchanges);
    }

    [Fact]
    public async Task Caller_without_the_bearer_token_does_not_learn_which_servers_exist()
    {
        var (known, unknown) = (await CallAsync("/my-api"), await CallAsync("/other"));

        Assert.StartsWith("HTTP/1.1 401 ", known);
        Assert.Equal(known, unknown);

        async Task<string> CallAsync(string path) => Date().Replace(await _proxy.SendRawAsync(
            $"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{{port}}\r\nConnection: close\r\n\r\n"), "");
    }

    [Fact]
    public async Task Scheme_of_the_bearer_token_is_read_without_case() =>
        Assert.StartsWith("HTTP/1.1 200 ", await _proxy.SendRawAsync(Request().Replace("Bearer ", "bearer ")));

    [Theory]
    [InlineData("/.well-known/oauth-protected-resource")]
    [InlineData("/.well-known/oauth-protected-resource/my-api")]
    [InlineData("/my-api/.well-known/oauth-protected-resource")]
    [InlineData("/.well-known/oauth-authorization-server")]
    [InlineData("/.well-known/oauth-authorization-server/my-api")]
    [InlineData("/.well-known/openid-configuration")]
    [InlineData("/my-api/.well-known/openid-configuration")]
    public async Task Metadata_for_a_sign_in_does_not_exist(string path)
    {
        foreach (var authorization in new[] { "", "Authorization: Bearer {bearer}\r\n" })
        {
            var answer = await _proxy.SendRawAsync($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{{port}}\r\nConnection: close\r\n{authorization}\r\n");
            Assert.StartsWith("HTTP/1.1 404 ", answer);
            Assert.DoesNotContain("WWW-Authenticate", answer);
        }
        Assert.Empty(_server.Exchanges);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/other")]
    [InlineData("/MY-API")]
    [InlineData("/my-api/")]
    [InlineData("//my-api")]
    [InlineData("/x/../my-api")]
    [InlineData("/my-api/../../my-api")]
    [InlineData("/./my-api")]
    [InlineData("/my-api%2f")]
    [InlineData("/%2fmy-api")]
    [InlineData("/my-api%2f..%2fmy-api")]
    [InlineData("/%2e%2e/my-api")]
    [InlineData("/my-api?x=1")]
    [InlineData("/my-api;x")]
    [InlineData("/my-api%00")]
    [InlineData("/my-api%20")]
    [InlineData("/my-api\\..\\x")]
    public async Task Path_that_is_not_exactly_an_id_is_not_found(string path)
    {
        Assert.Matches("^HTTP/1.1 (404|400) ", await _proxy.SendRawAsync(Request(path)));
        Assert.Empty(_server.Exchanges);
    }

    [Fact]
    public async Task Encoded_id_is_decoded() => Assert.StartsWith("HTTP/1.1 200 ", await _proxy.SendRawAsync(Request("/my%2Dapi")));

    [Theory]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("HEAD")]
    [InlineData("TRACE")]
    [InlineData("post")]
    public async Task Method_that_MCP_does_not_use_is_refused(string method)
    {
        Assert.StartsWith("HTTP/1.1 405 ", await _proxy.SendRawAsync(Request().Replace("POST", method)));
        Assert.Empty(_server.Exchanges);
    }

    [Theory]
    [InlineData("Content-Length: 5\r\nContent-Length: 45\r\n")]
    [InlineData("Transfer-Encoding: chunked, identity\r\n")]
    [InlineData("Transfer-Encoding : chunked\r\n")]
    [InlineData("Mcp-Session-Id: a\r\nMcp-Session-Id: b\r\n")]
    [InlineData("Mcp-Name: caf\u00e9\r\n")]
    [InlineData("Mcp-Name: a\r\n b\r\n")]
    [InlineData("Content-Type: text/plain\r\n")]
    public async Task Request_that_two_parsers_could_read_differently_is_refused(string header)
    {
        var answer = await _proxy.SendRawAsync(Request(headers: header));

        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.Empty(_server.Exchanges);
    }

    [Fact]
    public async Task Body_with_two_lengths_reaches_the_server_as_one_message()
    {
        var smuggled = Request("/my-api");

        await _proxy.SendRawAsync("POST /my-api HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {bearer}\r\n"
            + $"Content-Length: {smuggled.Length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}");

        Assert.All(_server.Exchanges, exchange => Assert.DoesNotContain("HTTP/1.1", exchange.Body));
    }

    [Fact]
    public async Task Message_over_the_limit_is_refused_with_an_error()
    {
        using var answer = await _proxy.PostAsync($$"""{"jsonrpc":"2.0","id":1,"method":"{{new string('x', 70_000)}}"}""");

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        Assert.Equal("mcpsm", (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!["error"]!["data"]!["source"]);
        Assert.Empty(_server.Exchanges);
    }

    [Fact]
    public async Task Large_headers_are_refused() =>
        Assert.StartsWith("HTTP/1.1 431 ", await _proxy.SendRawAsync(Request(headers: $"Mcp-Param-X: {new string('x', 40_000)}\r\n")));

    [Fact]
    public void Slow_caller_is_limited()
    {
        var limits = KestrelHttpProxy.Configure([], 1024).Limits;

        Assert.InRange(limits.RequestHeadersTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(15));
        Assert.NotNull(limits.MinRequestBodyDataRate);
        Assert.NotNull(limits.MinResponseDataRate);
        Assert.InRange(limits.MaxConcurrentConnections ?? long.MaxValue, 1, 1024);
        Assert.Equal(1024, limits.MaxRequestBodySize);
    }

    [GeneratedRegex("Date: .*\r\n")]
    private static partial Regex Date();

    private static string Request(string path = "/my-api", string host = "127.0.0.1:{port}", string headers = "") =>
        $"POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {{bearer}}\r\n"
        + (headers.StartsWith("Transfer-Encoding", StringComparison.Ordinal) ? "" : $"Content-Length: {Ping.Length}\r\n")
        + (headers.StartsWith("Content-Type", StringComparison.Ordinal) ? headers : "") + $"Content-Type: application/json\r\n{headers}\r\n{Ping}";
}

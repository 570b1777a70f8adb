using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using McpSm.Core.Servers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Relay.Tests.HttpProxy;

/// <summary>What passes between a caller of the proxy and a server of Streamable HTTP.</summary>
public sealed class HttpProxyForwardTests : IAsyncLifetime
{
    private const string Ping = """{"jsonrpc":"2.0","id":"p","method":"ping"}""";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private ScriptedServer _server = null!;
    private HttpProxyFixture _proxy = null!;
    private Func<HttpContext, string, Task> _answer = (context, _) => SessionServer.JsonAsync(context, """{"jsonrpc":"2.0","id":"p","result":{}}""");

    public async ValueTask InitializeAsync()
    {
        _server = await ScriptedServer.StartAsync((context, body) => _answer(context, body));
        _proxy = await HttpProxyFixture.StartAsync(_server.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
        Assert.Empty(_proxy.Warnings);
    }

    [Fact]
    public async Task Headers_of_the_protocol_pass_and_all_others_stay()
    {
        (await _proxy.PostAsync(Ping, request =>
        {
            foreach (var (name, value) in new[]
            {
                ("Mcp-Session-Id", "s-1"), ("MCP-Protocol-Version", "2025-11-25"), ("Last-Event-ID", "e-9"), ("Mcp-Method", "ping"),
                ("Mcp-Param-Region", "=?base64?5L2g?="), ("Cookie", "a=b"), ("X-Forwarded-For", "1.2.3.4"), ("X-Api-Key", "k"),
                ("Proxy-Authorization", "Basic eA=="), ("Forwarded", "for=1"), ("User-Agent", "ua"),
                ("Connection", "mcp-name"), ("Mcp-Name", "for-this-connection"), ("Te", "trailers"), ("Upgrade", "h2c"),
            })
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        })).Dispose();

        var headers = _server.Exchanges.Single().Headers;
        Assert.Equal($"Bearer {HttpProxyFixture.ServerToken}", headers["Authorization"]);
        Assert.Equal(("s-1", "2025-11-25", "e-9", "ping", "=?base64?5L2g?="),
            (headers["Mcp-Session-Id"], headers["MCP-Protocol-Version"], headers["Last-Event-ID"], headers["Mcp-Method"], headers["Mcp-Param-Region"]));
        Assert.Equal(("application/json; charset=utf-8", _server.Url.Authority), (headers["Content-Type"], headers["Host"]));
        Assert.Equal(
            ["Accept", "Authorization", "Content-Length", "Content-Type", "Host", "Last-Event-ID", "Mcp-Method", "Mcp-Param-Region", "MCP-Protocol-Version",
                "Mcp-Session-Id"],
            headers.Keys.Order(StringComparer.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task Body_passes_byte_for_byte_in_both_directions()
    {
        const string sent = "{ \"jsonrpc\":\"2.0\",\r\n \"id\":1.0,\"method\":\"x\",\"\\u0061\":[1e400,\"\\ud83d\\ude00\u3042\"] }\n";
        const string answered = "{\"jsonrpc\":\"2.0\" , \"id\":1.0,\"result\":{\"big\":123456789012345678901234567890,\"s\":\"\\/\u3042\"}}\n";
        _answer = (context, _) => SessionServer.JsonAsync(context, answered);

        using var answer = await _proxy.PostAsync(sent);

        Assert.Equal(sent, _server.Exchanges.Single().Body);
        Assert.Equal(answered, await answer.Content.ReadAsStringAsync(Cancellation));
    }

    [Theory]
    [InlineData(200)]
    [InlineData(202)]
    [InlineData(204)]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(409)]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(599)]
    public async Task Status_and_headers_that_matter_come_back(int status)
    {
        _answer = async (context, _) =>
        {
            context.Response.StatusCode = status;
            foreach (var (name, value) in new[]
            {
                ("Mcp-Session-Id", "s-2"), ("MCP-Protocol-Version", "2025-11-25"), ("Retry-After", "7"), ("Cache-Control", "no-cache"),
                ("Set-Cookie", "secret=1"), ("Link", "<x>"), ("Location", "https://evil.example"), ("Server", "s"), ("Access-Control-Allow-Origin", "*"),
                ("DPoP-Nonce", "n"), ("Alt-Svc", "x"),
            })
            {
                context.Response.Headers[name] = value;
            }
            if (status != 204)
            {
                context.Response.ContentType = "text/plain; charset=odd";
                await context.Response.WriteAsync("body");
            }
        };

        using var answer = await _proxy.PostAsync(Ping);

        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(status == 204 ? "" : "body", Encoding.ASCII.GetString(await answer.Content.ReadAsByteArrayAsync(Cancellation)));
        Assert.Equal(["Cache-Control", "Date", "Mcp-Protocol-Version", "Mcp-Session-Id", "Retry-After"],
            answer.Headers.Select(header => header.Key).Where(name => name != "Transfer-Encoding").Order(StringComparer.OrdinalIgnoreCase),
            StringComparer.OrdinalIgnoreCase);
        Assert.Equal(status == 204 ? null : "text/plain; charset=odd",
            answer.Content.Headers.NonValidated.TryGetValues("Content-Type", out var type) ? type.ToString() : null);
    }

    [Fact]
    public async Task Event_arrives_before_the_next_one_is_sent()
    {
        var next = new TaskCompletionSource();
        _answer = async (context, _) =>
        {
            await SessionServer.EventAsync(context, "id: 1\ndata: first\n\n");
            await next.Task.WaitAsync(Limit);
            await SessionServer.EventAsync(context, "data: second\n\n");
        };
        using var answer = await _proxy.SendAsync(HttpMethod.Get, request => request.Headers.Add("Last-Event-ID", "0"));
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancellation));

        Assert.Equal("id: 1", await lines.ReadLineAsync(Cancellation).AsTask().WaitAsync(Limit, Cancellation));
        next.SetResult();
        Assert.Equal("data: first\n\ndata: second\n\n", await lines.ReadToEndAsync(Cancellation).WaitAsync(Limit, Cancellation));
        Assert.Equal(("GET", "0"), (_server.Exchanges.Single().Method, _server.Exchanges.Single().Headers["Last-Event-ID"]));
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Headers_of_a_stream_arrive_before_its_first_event()
    {
        _answer = async (context, _) =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
        };

        using var answer = await _proxy.SendAsync(HttpMethod.Get).WaitAsync(Limit, Cancellation);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task Caller_that_leaves_ends_the_request_to_the_server()
    {
        var left = new TaskCompletionSource();
        _answer = (context, _) => StreamForeverAsync(context, left);
        var answer = await _proxy.PostAsync(Ping);
        await (await answer.Content.ReadAsStreamAsync(Cancellation)).ReadExactlyAsync(new byte[4], Cancellation);

        answer.Dispose();

        await left.Task.WaitAsync(Limit, Cancellation);
    }

    [Fact]
    public async Task Proxy_that_ends_cuts_an_endless_stream()
    {
        var left = new TaskCompletionSource();
        _answer = (context, _) => StreamForeverAsync(context, left);
        using var answer = await _proxy.SendAsync(HttpMethod.Get);
        var stream = await answer.Content.ReadAsStreamAsync(Cancellation);
        await stream.ReadExactlyAsync(new byte[4], Cancellation);

        await _proxy.EndAsync().WaitAsync(TimeSpan.FromSeconds(2), Cancellation);

        await left.Task.WaitAsync(Limit, Cancellation);
        await Assert.ThrowsAnyAsync<Exception>(() => stream.CopyToAsync(Stream.Null, Cancellation));
    }

    [Fact]
    public async Task Answer_that_breaks_off_does_not_look_complete()
    {
        var half = new TaskCompletionSource();
        _answer = async (context, _) =>
        {
            await context.Response.WriteAsync("half of");
            await context.Response.Body.FlushAsync();
            await half.Task.WaitAsync(Limit);
            context.Abort();
        };
        using var answer = await _proxy.PostAsync(Ping);
        var body = await answer.Content.ReadAsStreamAsync(Cancellation);
        await body.ReadExactlyAsync(new byte[7], Cancellation);

        half.SetResult();

        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(Stream.Null, Cancellation));
    }

    [Theory]
    [InlineData("POST", 302)]
    [InlineData("POST", 307)]
    [InlineData("GET", 301)]
    [InlineData("GET", 308)]
    [InlineData("DELETE", 307)]
    public async Task Redirect_to_another_origin_is_not_followed(string method, int status)
    {
        await using var other = await ScriptedServer.StartAsync((context, _) => context.Response.WriteAsync("stolen"));
        _answer = (context, _) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = other.Url.AbsoluteUri;
            return Task.CompletedTask;
        };

        using var answer = await _proxy.SendAsync(new HttpMethod(method));

        Assert.Equal((HttpStatusCode.BadGateway, "UnsafeEndpoint"), (answer.StatusCode, await ReasonAsync(answer)));
        Assert.False(answer.Headers.Contains("Location"));
        Assert.Empty(other.Exchanges);
    }

    [Fact]
    public async Task Redirect_within_the_server_is_followed_with_the_body()
    {
        _answer = (context, _) =>
        {
            if (context.Request.Path == "/mcp")
            {
                context.Response.StatusCode = 307;
                context.Response.Headers.Location = "/mcp/2";
            }
            return Task.CompletedTask;
        };

        using var answer = await _proxy.PostAsync(Ping);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal([Ping, Ping], _server.Exchanges.Select(exchange => exchange.Body));
    }

    [Theory]
    [InlineData(401, HttpStatusCode.ServiceUnavailable)]
    [InlineData(403, HttpStatusCode.Forbidden)]
    public async Task Challenge_of_the_server_becomes_an_error_with_the_command(int status, HttpStatusCode expected)
    {
        _answer = (context, _) =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.WWWAuthenticate = "Bearer error=\"insufficient_scope\", resource_metadata=\"https://evil.example\"";
            return Task.CompletedTask;
        };

        using var answer = await _proxy.PostAsync(Ping);

        Assert.Equal(expected, answer.StatusCode);
        Assert.Empty(answer.Headers.WwwAuthenticate);
        var error = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!;
        Assert.Equal(("p", "mcpsm auth login my-api"), ((string?)error["id"], (string?)error["error"]!["data"]!["command"]));
        Assert.Contains("Run 'mcpsm auth login my-api', then try again.", (string?)error["error"]!["message"]);
        Assert.DoesNotContain(HttpProxyFixture.ServerToken, error.ToJsonString());
    }

    [Fact]
    public async Task Server_that_is_down_is_an_error_of_the_gateway()
    {
        await _proxy.AddAsync("down", new Uri("http://127.0.0.1:1/mcp"));

        using var answer = await _proxy.PostAsync(Ping, path: "/down");

        Assert.Equal((HttpStatusCode.BadGateway, "ServerUnreachable"), (answer.StatusCode, await ReasonAsync(answer)));
    }

    [Fact]
    public async Task Status_that_does_not_exist_is_an_error_of_the_gateway()
    {
        _answer = (context, _) =>
        {
            context.Response.StatusCode = 799;
            return Task.CompletedTask;
        };

        using var answer = await _proxy.PostAsync(Ping);

        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
    }

    [Fact]
    public async Task Session_ends_at_the_server_that_gave_it()
    {
        (await _proxy.SendAsync(HttpMethod.Delete, request => request.Headers.Add("Mcp-Session-Id", "s-1"))).Dispose();

        Assert.Equal(("DELETE", "s-1"), (_server.Exchanges.Single().Method, _server.Exchanges.Single().Headers["Mcp-Session-Id"]));
    }

    [Fact]
    public async Task Server_that_was_added_or_moved_is_reached_without_a_restart()
    {
        await using var other = await ScriptedServer.StartAsync((context, _) => context.Response.WriteAsync("other"));
        using var unknown = await _proxy.PostAsync(Ping, path: "/second");
        await _proxy.AddAsync("second", other.Url);
        using var added = await _proxy.PostAsync(Ping, path: "/second");
        (await _proxy.PostAsync(Ping)).Dispose();
        await _proxy.AddAsync("my-api", other.Url);
        using var moved = await _proxy.PostAsync(Ping);
        _proxy.Servers.TryRemove("my-api", out McpServer? _);
        using var removed = await _proxy.PostAsync(Ping);

        Assert.Equal((HttpStatusCode.NotFound, "ServerNotFound"), (unknown.StatusCode, await ReasonAsync(unknown)));
        Assert.Equal(HttpStatusCode.OK, added.StatusCode);
        Assert.Equal("other", await moved.Content.ReadAsStringAsync(Cancellation));
        Assert.Equal(HttpStatusCode.NotFound, removed.StatusCode);
        Assert.Single(_server.Exchanges);
    }

    [Fact]
    public async Task Stream_ends_if_its_server_moves_and_calls_do_not()
    {
        var (finish, streaming) = (new TaskCompletionSource(), new TaskCompletionSource());
        _answer = async (context, _) =>
        {
            if (HttpMethods.IsGet(context.Request.Method))
            {
                await StreamForeverAsync(context, streaming);
                return;
            }
            await finish.Task.WaitAsync(Limit);
            await context.Response.WriteAsync("late");
        };
        using var stream = await _proxy.SendAsync(HttpMethod.Get);
        var call = _proxy.PostAsync(Ping);
        await WaitUntilAsync(() => _server.Exchanges.Count == 2);
        await using var other = await ScriptedServer.StartAsync((context, _) => context.Response.WriteAsync("other"));

        await _proxy.AddAsync("my-api", other.Url);
        (await _proxy.PostAsync(Ping)).Dispose();

        await streaming.Task.WaitAsync(Limit, Cancellation);
        finish.SetResult();
        using var late = await call;
        Assert.Equal("late", await late.Content.ReadAsStringAsync(Cancellation));
    }

    [Fact]
    public async Task Log_has_no_secret_and_no_body()
    {
        (await _proxy.PostAsync("""{"jsonrpc":"2.0","id":1,"method":"planted-method"}""",
            request => request.Headers.Add("Mcp-Session-Id", "planted-session"))).Dispose();

        await WaitUntilAsync(() => !_proxy.Log.IsEmpty);
        var log = string.Join('\n', _proxy.Log);
        Assert.Contains("POST", log);
        Assert.All([HttpProxyFixture.Bearer, HttpProxyFixture.ServerToken, "planted"], secret => Assert.DoesNotContain(secret, log));
    }

    private static async Task StreamForeverAsync(HttpContext context, TaskCompletionSource left)
    {
        try
        {
            while (true)
            {
                await SessionServer.EventAsync(context, ": ok\n\n");
                await Task.Delay(20, context.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            left.TrySetResult();
        }
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        for (var waited = 0; !condition(); waited++)
        {
            Assert.True(waited < 1000, "The condition did not come true.");
            await Task.Delay(10, Cancellation);
        }
    }

    private static async Task<string?> ReasonAsync(HttpResponseMessage answer) =>
        (string?)JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!["error"]!["data"]!["reason"];
}

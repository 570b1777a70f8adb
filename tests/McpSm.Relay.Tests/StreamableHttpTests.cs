using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Relay.Tests;

/// <summary>The relay with servers of MCP 2025-03-26 to 2025-11-25.</summary>
public sealed class StreamableHttpTests
{
    [Fact]
    public async Task Session_and_version_are_sent_after_initialize()
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);

        Assert.Equal("2025-11-25", (string?)(await client.InitializeAsync())["result"]!["protocolVersion"]);
        Assert.Equal("tools/list", (string?)(await client.AskAsync("""{"jsonrpc":"2.0","id":"a","method":"tools/list"}"""))["result"]!["method"]);

        var list = server.Exchanges.Single(exchange => exchange.Body.Contains("tools/list", StringComparison.Ordinal));
        Assert.Equal("session-1", list.Headers["Mcp-Session-Id"]);
        Assert.Equal("2025-11-25", list.Headers["MCP-Protocol-Version"]);
        Assert.Equal("application/json, text/event-stream", list.Headers["Accept"]);
        Assert.Equal(0, await client.EndInputAsync());
        Assert.Contains(server.Exchanges, exchange => exchange.Method == "DELETE" && exchange.Headers["Mcp-Session-Id"] == "session-1");
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":12345678901234567890123,"method":"tools/call","unknown":[null,true],"""
        + """ "params":{"name":"道具","arguments":{"a":1.0,"b":1e400,"c":"é\u00e9\/\ud83d\ude00"}}}""")]
    [InlineData("""{ "jsonrpc" : "2.0" , "id" : "x\"y" , "method" : "tools/call" }""")]
    public async Task Bytes_of_a_message_are_forwarded_unchanged(string message)
    {
        var session = new SessionServer
        {
            Answer = (context, request) =>
                SessionServer.JsonAsync(context, $$$"""{"jsonrpc":"2.0","result":{"x":1.50,"y":"\u00e9é"},"id":{{{Message(request)}}}}"""),
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        await client.SendAsync(message);
        var answer = await client.ReadLineAsync();

        Assert.Equal(message, server.Exchanges.Last(exchange => exchange.Body.Contains("tools/call", StringComparison.Ordinal)).Body);
        Assert.StartsWith("""{"jsonrpc":"2.0","result":{"x":1.50,"y":"\u00e9é"},"id":""", answer);

        static string Message(JsonNode request) => request["id"]!.ToJsonString();
    }

    [Fact]
    public async Task Ten_mebibytes_pass_in_both_directions()
    {
        var text = new string('x', 10 * 1024 * 1024);
        var body = $$$"""{"jsonrpc":"2.0","id":1,"result":{"text":"{{{text}}}"}}""";
        var session = new SessionServer { Answer = (context, _) => SessionServer.JsonAsync(context, body) };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        var answer = await client.AskAsync($$$"""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"{{{text}}}"}}""");

        Assert.Equal(text.Length, ((string?)answer["result"]!["text"])!.Length);
    }

    [Fact]
    public async Task Events_of_a_stream_are_passed_on_until_the_answer()
    {
        var session = new SessionServer
        {
            Answer = (context, _) => SessionServer.EventAsync(context,
                "id: 1\ndata:\n\n" +
                "event: other\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/hidden\"}\n\n" +
                "data: {\"jsonrpc\":\"2.0\",\ndata: \"method\":\"notifications/progress\"}\n\n" +
                "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n"),
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        await client.SendAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}""");

        Assert.Equal("""{"jsonrpc":"2.0","method":"notifications/progress"}""", await client.ReadLineAsync());
        Assert.Equal("""{"jsonrpc":"2.0","id":1,"result":{}}""", await client.ReadLineAsync());
    }

    [Fact]
    public async Task Broken_stream_is_resumed_after_its_last_event()
    {
        var session = new SessionServer
        {
            Answer = (context, _) => SessionServer.EventAsync(context, "retry: 20\nid: e-7\ndata:\n\n"),
        };
        session.Listen = context => context.Request.Headers["Last-Event-ID"] == "e-7"
            ? SessionServer.EventAsync(context, "id: e-8\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n")
            : Task.Delay(Timeout.Infinite, context.RequestAborted);
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        Assert.NotNull((await client.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"""))["result"]);
    }

    [Fact]
    public async Task Stream_without_event_ids_that_breaks_gives_an_error_with_the_id()
    {
        const string Message = "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n";
        var session = new SessionServer { Answer = (context, _) => SessionServer.EventAsync(context, Message) };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        await client.SendAsync("""{"jsonrpc":"2.0","id":"q","method":"tools/call","params":{"name":"a"}}""");
        await client.ReadLineAsync();
        var error = await client.ReadAsync();

        Assert.Equal("q", (string?)error["id"]);
        Assert.Equal("mcpsm", (string?)error["error"]!["data"]!["source"]);
        Assert.True((int)error["error"]!["code"]! > 0);
        Assert.StartsWith("mcpsm: ", (string?)error["error"]!["message"]);
    }

    [Fact]
    public async Task Request_of_the_server_is_answered_by_post()
    {
        var session = new SessionServer
        {
            Listen = async context =>
            {
                await SessionServer.EventAsync(context, "data: {\"jsonrpc\":\"2.0\",\"id\":\"s1\",\"method\":\"roots/list\"}\n\n");
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            },
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        Assert.Equal("""{"jsonrpc":"2.0","id":"s1","method":"roots/list"}""", await client.ReadLineAsync());
        await client.SendAsync("""{"jsonrpc":"2.0","id":"s1","result":{"roots":[]}}""");
        await client.AskAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/list"}""");

        Assert.Contains(server.Exchanges, exchange => exchange.Body == """{"jsonrpc":"2.0","id":"s1","result":{"roots":[]}}""");
    }

    [Fact]
    public async Task Lost_session_is_opened_again_and_the_refused_request_sent_again()
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();
        await client.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}""");

        session.Session = "restarted";
        await client.SendAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/list"}""");
        var lines = new[] { await client.ReadLineAsync(), await client.ReadLineAsync() };

        Assert.Contains("""{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}""", lines);
        Assert.Contains(lines, line => (int?)JsonNode.Parse(line)!["id"] == 2 && JsonNode.Parse(line)!["result"] is not null);
        Assert.Equal(2, server.Exchanges.Count(exchange => exchange.Body.Contains("\"initialize\"", StringComparison.Ordinal)));
        Assert.Equal(2, server.Exchanges.Count(exchange => exchange.Body.Contains("setLevel", StringComparison.Ordinal)));
        Assert.Equal("session-2", server.Exchanges.Last(exchange => exchange.Body.Contains("tools/list", StringComparison.Ordinal)).Headers["Mcp-Session-Id"]);
    }

    [Fact]
    public async Task Lost_session_of_a_changed_server_ends_the_relay()
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        (session.Session, session.Capabilities) = ("restarted", "{}");
        var error = await client.AskAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/list"}""");

        Assert.Equal(409, (int)error["error"]!["code"]!);
        Assert.Equal(1, await client.Ended.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(400, """{"jsonrpc":"2.0","error":{"code":-32001,"message":"no","data":{"a":[1.0]}},"id":null}""")]
    [InlineData(500, """{"jsonrpc":"2.0","error":{"code":-32001,"message":"no","data":{"a":[1.0]}}}""")]
    [InlineData(422, """{"id":99,"jsonrpc":"2.0","error":{"code":-32001,"message":"no","data":{"a":[1.0]}}}""")]
    public async Task Error_of_the_server_is_passed_on_with_the_id_of_the_request(int status, string body)
    {
        var session = new SessionServer
        {
            Answer = (context, _) =>
            {
                context.Response.StatusCode = status;
                return SessionServer.JsonAsync(context, body);
            },
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        await client.SendAsync("""{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a"}}""");
        var line = await client.ReadLineAsync();

        Assert.Equal(7, (int)JsonNode.Parse(line)!["id"]!);
        Assert.Contains("\"error\":{\"code\":-32001,\"message\":\"no\",\"data\":{\"a\":[1.0]}}", line);
    }

    [Theory]
    [InlineData(502, "text/html", "<html>bad gateway</html>", 502)]
    [InlineData(200, "text/html", "<html>sign in here</html>", 200)]
    [InlineData(202, null, "", 202)]
    [InlineData(200, "application/json", "{", 200)]
    public async Task Answer_that_is_not_json_rpc_gives_an_error_of_the_relay(int status, string? type, string body, int code)
    {
        var session = new SessionServer
        {
            Answer = (context, _) =>
            {
                (context.Response.StatusCode, context.Response.ContentType) = (status, type);
                return context.Response.WriteAsync(body);
            },
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        var error = await client.AskAsync("""{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"a"}}""");

        Assert.Equal(code, (int)error["error"]!["code"]!);
        Assert.DoesNotContain("html>", (string?)error["error"]!["message"]);
    }

    [Fact]
    public async Task Refusal_of_the_credential_names_the_next_command()
    {
        await using var server = await ScriptedServer.StartAsync((context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        });
        await using var client = new RelayClient(server.Url);

        var error = await client.AskAsync("""{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}""");

        Assert.Equal(401, (int)error["error"]!["code"]!);
        Assert.Equal("AuthenticationRequired", (string?)error["error"]!["data"]!["reason"]);
        Assert.Equal("mcpsm auth login my-api", (string?)error["error"]!["data"]!["command"]);
    }

    [Fact]
    public async Task Notifications_arrive_in_the_order_in_which_they_were_written()
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();
        for (var i = 0; i < 50; i++)
        {
            await client.SendAsync($$$"""{"jsonrpc":"2.0","method":"notifications/progress","params":{"n":{{{i}}}}}""");
        }
        await client.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");

        var order = server.Exchanges.Where(exchange => exchange.Body.Contains("notifications/progress", StringComparison.Ordinal))
            .Select(exchange => (int)JsonNode.Parse(exchange.Body)!["params"]!["n"]!);
        Assert.Equal(Enumerable.Range(0, 50), order);
    }

    [Fact]
    public async Task Cancelled_notification_follows_the_request_that_it_cancels()
    {
        var release = new TaskCompletionSource();
        var session = new SessionServer
        {
            Answer = async (context, _) =>
            {
                await release.Task;
                await SessionServer.JsonAsync(context, """{"jsonrpc":"2.0","id":5,"result":{"late":true}}""");
            },
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        await client.SendAsync("""{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"slow"}}""");
        await client.SendAsync("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}""");
        await WaitAsync(() => server.Exchanges.Any(exchange => exchange.Body.Contains("cancelled", StringComparison.Ordinal)));
        release.SetResult();

        Assert.True((bool)(await client.ReadAsync())["result"]!["late"]!);
    }

    [Fact]
    public async Task Cancelling_a_request_that_is_never_sent_holds_nothing_up()
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        using var handler = new FailingHandler(5000);
        await using var client = new RelayClient(server.Url, handler: handler);
        await client.InitializeAsync();

        await client.SendAsync($$$"""{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"{{{new string('x', 5000)}}}"}}""");
        await handler.Reached.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        await client.SendAsync("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}""");
        await client.SendAsync("""{"jsonrpc":"2.0","method":"notifications/progress","params":{}}""");
        await Task.Delay(100, TestContext.Current.CancellationToken);
        handler.Fail.SetResult();

        Assert.Equal(503, (int)(await client.ReadAsync())["error"]!["code"]!);
        await WaitAsync(() => server.Exchanges.Any(exchange => exchange.Body.Contains("notifications/progress", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Id_with_half_a_surrogate_pair_does_not_end_the_relay()
    {
        var session = new SessionServer { Answer = (context, _) => SessionServer.JsonAsync(context, """{"jsonrpc":"2.0","id":"\ud800","result":{}}""") };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        await client.SendAsync("""{"jsonrpc":"2.0","id":"\ud800","method":"tools/call","params":{}}""");

        Assert.Contains("result", await client.ReadLineAsync());
    }

    [Fact]
    public async Task Initialize_answer_that_is_too_deep_gives_an_error()
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 2000)) + "1" + new string('}', 2000);
        await using var server = await ScriptedServer.StartAsync((context, _) =>
            SessionServer.JsonAsync(context, "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":" + deep + "}"));
        await using var client = new RelayClient(server.Url);

        var error = await client.AskAsync("""{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}""");

        Assert.Equal(502, (int)error["error"]!["code"]!);
    }

    [Fact]
    public async Task Nothing_is_sent_before_initialize_is_answered()
    {
        var release = new TaskCompletionSource();
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(async (context, body) =>
        {
            if (body.Contains("\"initialize\"", StringComparison.Ordinal))
            {
                await release.Task;
            }
            await session.HandleAsync(context, body);
        });
        await using var client = new RelayClient(server.Url);

        await client.SendAsync("""{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}""");
        await client.SendAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");
        await WaitAsync(() => !server.Exchanges.IsEmpty);
        await Task.Delay(100, TestContext.Current.CancellationToken);
        Assert.Single(server.Exchanges);
        release.SetResult();

        Assert.Equal(0, (int)(await client.ReadAsync())["id"]!);
        Assert.Equal(1, (int)(await client.ReadAsync())["id"]!);
    }

    [Fact]
    public async Task Batch_is_posted_as_one_body_and_a_failure_answers_each_request()
    {
        var session = new SessionServer { Answer = (context, _) => context.Response.WriteAsync("no") };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();
        const string batch = """[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","id":"2","method":"b"}]""";

        await client.SendAsync(batch);
        var errors = JsonNode.Parse(await client.ReadLineAsync())!.AsArray();

        Assert.Contains(server.Exchanges, exchange => exchange.Body == batch);
        Assert.Equal(["1", "\"2\""], errors.Select(error => error!["id"]!.ToJsonString()));
    }

    [Fact]
    public async Task Busy_server_is_asked_again_when_it_says()
    {
        var calls = 0;
        var session = new SessionServer
        {
            Answer = (context, _) =>
            {
                if (calls++ == 0)
                {
                    context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
                    context.Response.Headers.RetryAfter = "0";
                    return Task.CompletedTask;
                }
                return SessionServer.JsonAsync(context, """{"jsonrpc":"2.0","id":1,"result":{}}""");
            },
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        Assert.NotNull((await client.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}"""))["result"]);
    }

    [Theory]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":", true)]
    [InlineData("{\"jsonrpc\":\"2.0\",\"id\":3}", true)]
    [InlineData("hello", false)]
    public async Task Line_that_is_not_a_message_does_not_end_the_relay(string line, bool isAnswered)
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        await client.SendAsync(line);
        await client.SendAsync([.. "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\""u8, 0xff, 0xfe, .. "\"}\n"u8]);
        if (isAnswered)
        {
            Assert.Equal(400, (int)(await client.ReadAsync())["error"]!["code"]!);
        }

        Assert.Equal(9, (int)(await client.AskAsync("""{"jsonrpc":"2.0","id":9,"method":"tools/list"}"""))["id"]!);
    }

    [Fact]
    public async Task Message_over_the_limit_is_refused_with_its_id_wherever_that_is()
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url, options: new RelayOptions { MaxClientMessage = 100_000 });
        await client.InitializeAsync();
        var text = new string('y', 300_000);

        var first = await client.AskAsync($$$"""{"jsonrpc":"2.0","id":"a\"b","method":"x","params":{"id":1,"t":"{{{text}}}"}}""");
        var last = await client.AskAsync($$$"""{"method":"x","params":{"id":1,"t":"{{{text}}}"},"jsonrpc":"2.0","id":42}""");

        Assert.Equal("a\"b", (string?)first["id"]);
        Assert.Equal(42, (int)last["id"]!);
        Assert.Equal(413, (int)last["error"]!["code"]!);
        Assert.Equal(5, (int)(await client.AskAsync("""{"jsonrpc":"2.0","id":5,"method":"tools/list"}"""))["id"]!);
    }

    [Fact]
    public async Task Endless_line_of_a_stream_ends_with_an_error()
    {
        var session = new SessionServer
        {
            Answer = async (context, _) =>
            {
                context.Response.ContentType = "text/event-stream";
                var chunk = Encoding.ASCII.GetBytes("data: " + new string('z', 64 * 1024));
                while (!context.RequestAborted.IsCancellationRequested)
                {
                    await context.Response.Body.WriteAsync(chunk, context.RequestAborted);
                }
            },
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url, options: new RelayOptions { MaxServerMessage = 1024 * 1024 });
        await client.InitializeAsync();

        Assert.Equal(502, (int)(await client.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}"""))["error"]!["code"]!);
    }

    private static async Task WaitAsync(Func<bool> condition)
    {
        for (var i = 0; i < 200 && !condition(); i++)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        Assert.True(condition());
    }

    /// <summary>Fails a large request before it is sent, and without reading it.</summary>
    private sealed class FailingHandler(int length) : DelegatingHandler
    {
        public TaskCompletionSource Reached { get; } = new();

        public TaskCompletionSource Fail { get; } = new();

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if (request.Content?.Headers.ContentLength > length)
            {
                Reached.TrySetResult();
                await Fail.Task;
                throw new HttpRequestException("unreachable");
            }
            return await base.SendAsync(request, cancellationToken);
        }
    }
}

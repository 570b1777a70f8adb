using System.Text.Json.Nodes;
using System.Threading.Channels;
using McpSm.Core.Servers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Relay.Tests;

/// <summary>The relay with servers of the HTTP+SSE transport.</summary>
public sealed class EventSourceTests
{
    [Theory]
    [InlineData(McpTransport.Sse)]
    [InlineData(McpTransport.Http)]
    public async Task Messages_pass_by_the_endpoint_that_the_stream_names(McpTransport transport)
    {
        var events = new OldServer();
        await using var server = await ScriptedServer.StartAsync(events.HandleAsync);
        await using var client = new RelayClient(server.Url, transport);

        var initialized = await client.InitializeAsync();
        Assert.True(initialized["result"] is not null, initialized.ToJsonString());
        Assert.Equal("tools/list", (string?)(await client.AskAsync("""{"jsonrpc":"2.0","id":"a","method":"tools/list"}"""))["result"]!["method"]);
        Assert.Contains(server.Exchanges, exchange => exchange.Body.Contains("notifications/initialized", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Server_without_event_stream_is_asked_by_the_other_transport_if_allowed()
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync((context, body) => session.Session.Length == 0 && HttpMethods.IsGet(context.Request.Method)
            ? Task.FromResult(context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed) : session.HandleAsync(context, body));
        await using var client = new RelayClient(server.Url, McpTransport.Sse, new RelayOptions { MayFallBack = true });

        Assert.NotNull((await client.InitializeAsync())["result"]);
        Assert.NotNull((await client.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}"""))["result"]);
    }

    [Theory]
    [InlineData(McpTransport.Sse, null)]
    [InlineData(McpTransport.Sse, true)]
    public async Task Server_of_neither_transport_gives_the_answer_of_the_first(McpTransport transport, bool? mayFallBack)
    {
        await using var server = await ScriptedServer.StartAsync((context, _) =>
            Task.FromResult(context.Response.StatusCode = HttpMethods.IsGet(context.Request.Method)
                ? StatusCodes.Status410Gone : StatusCodes.Status404NotFound));
        await using var client = new RelayClient(server.Url, transport, new RelayOptions { MayFallBack = mayFallBack });

        var answer = await client.AskAsync("""{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}""");

        Assert.Contains("410", (string?)answer["error"]!["message"]);
        Assert.Equal(mayFallBack == true, server.Exchanges.Any(exchange => exchange.Method == "POST"));
    }

    [Fact]
    public async Task Old_server_is_not_asked_by_its_transport_if_that_is_forbidden()
    {
        var events = new OldServer();
        await using var server = await ScriptedServer.StartAsync(events.HandleAsync);
        await using var client = new RelayClient(server.Url, McpTransport.Http, new RelayOptions { MayFallBack = false });

        Assert.NotNull((await client.AskAsync("""{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"""))["error"]);
        Assert.DoesNotContain(server.Exchanges, exchange => exchange.Method == "GET");
    }

    [Fact]
    public async Task Stream_that_breaks_is_opened_again_with_another_initialize()
    {
        var events = new OldServer();
        await using var server = await ScriptedServer.StartAsync(events.HandleAsync);
        await using var client = new RelayClient(server.Url, McpTransport.Sse);
        await client.InitializeAsync();
        await client.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");

        await events.BreakAsync();
        var answer = await client.AskAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/list"}""");

        Assert.Equal(2, (int)answer["id"]!);
        Assert.Equal(2, server.Exchanges.Count(exchange => exchange.Body.Contains("\"initialize\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Stream_that_breaks_while_the_client_is_idle_is_opened_again()
    {
        var events = new OldServer();
        await using var server = await ScriptedServer.StartAsync(events.HandleAsync);
        await using var client = new RelayClient(server.Url, McpTransport.Sse);
        await client.InitializeAsync();
        await client.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");

        await events.BreakAsync();

        for (var i = 0; i < 200 && server.Exchanges.Count(exchange => exchange.Body.Contains("\"initialize\"", StringComparison.Ordinal)) < 2; i++)
        {
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
        Assert.Equal(2, server.Exchanges.Count(exchange => exchange.Body.Contains("\"initialize\"", StringComparison.Ordinal)));
        Assert.Equal(2, server.Exchanges.Count(exchange => exchange.Method == "GET"));
    }

    [Fact]
    public async Task Endpoint_on_another_origin_is_refused()
    {
        await using var server = await ScriptedServer.StartAsync((context, _) =>
            SessionServer.EventAsync(context, "event: endpoint\ndata: http://127.0.0.1:1/messages\n\n"));
        await using var client = new RelayClient(server.Url, McpTransport.Sse);

        var error = await client.AskAsync("""{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}""");

        Assert.Equal("UnsafeEndpoint", (string?)error["error"]!["data"]!["reason"]);
    }

    [Fact]
    public async Task Server_of_neither_transport_gives_its_first_answer()
    {
        await using var server = await ScriptedServer.StartAsync((context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return context.Response.WriteAsync("not here");
        });
        await using var client = new RelayClient(server.Url);

        Assert.Equal(404, (int)(await client.AskAsync("""{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"""))["error"]!["code"]!);
    }

    /// <summary>A server of 2024-11-05.</summary>
    private sealed class OldServer
    {
        private Channel<string?> _events = Channel.CreateUnbounded<string?>();

        public async Task HandleAsync(HttpContext context, string body)
        {
            if (HttpMethods.IsGet(context.Request.Method))
            {
                var events = _events = Channel.CreateUnbounded<string?>();
                await SessionServer.EventAsync(context, "event: endpoint\ndata: /messages?session=1\n\n");
                await foreach (var text in events.Reader.ReadAllAsync(context.RequestAborted))
                {
                    if (text is null)
                    {
                        return;
                    }
                    await SessionServer.EventAsync(context, $"data: {text}\n\n");
                }
                return;
            }
            if (context.Request.Path != "/messages")
            {
                context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
                return;
            }
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            var message = JsonNode.Parse(body)!;
            if (message["id"] is { } id)
            {
                var result = (string?)message["method"] == "initialize"
                    ? "{\"protocolVersion\":\"2024-11-05\",\"capabilities\":{}}"
                    : "{\"method\":\"" + message["method"] + "\"}";
                await _events.Writer.WriteAsync("{\"jsonrpc\":\"2.0\",\"id\":" + id.ToJsonString() + ",\"result\":" + result + "}");
            }
        }

        public async Task BreakAsync()
        {
            await _events.Writer.WriteAsync(null);
            await Task.Delay(200);
        }
    }
}

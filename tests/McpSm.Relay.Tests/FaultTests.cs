using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Relay.Tests;

/// <summary>Faults of clients, servers and the network between them.</summary>
public sealed class FaultTests
{
    private const string Call = """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a"}}""";

    [Fact]
    public async Task Server_of_neither_generation_refuses_both_first_messages()
    {
        await using var server = await ScriptedServer.StartAsync((context, body) => SessionServer.JsonAsync(context,
            "{\"jsonrpc\":\"2.0\",\"id\":" + JsonNode.Parse(body)!["id"]!.ToJsonString() + ",\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}"));
        await using var client = new RelayClient(server.Url);

        var discover = await client.AskAsync("""
            {"jsonrpc":"2.0","id":"d","method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}
            """.Trim());
        var initialize = await client.AskAsync("""{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}""");

        Assert.Equal(("d", -32601), ((string?)discover["id"], (int)discover["error"]!["code"]!));
        Assert.Equal((0, -32601), ((int)initialize["id"]!, (int)initialize["error"]!["code"]!));
    }

    [Fact]
    public async Task Slow_reader_makes_the_server_wait_and_gets_every_message()
    {
        const int messages = 4_000;
        var (sent, text) = (0, new string('x', 16 * 1024));
        var session = new SessionServer
        {
            Answer = async (context, _) =>
            {
                context.Response.ContentType = "text/event-stream";
                for (; sent < messages; Interlocked.Increment(ref sent))
                {
                    var message = $"{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{{\"n\":{sent},\"t\":\"{text}\"}}}}";
                    await context.Response.WriteAsync($"data: {message}\n\n", context.RequestAborted);
                }
                await context.Response.WriteAsync("data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n", context.RequestAborted);
            },
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        await client.SendAsync(Call);
        await Task.Delay(1000, Cancellation);
        // What no program has read is in buffers of the relay and the system. They hold a part of the 64 MiB.
        var ahead = Volatile.Read(ref sent);
        Assert.InRange(ahead, 1, messages / 2);

        for (var n = 0; n < messages; n++)
        {
            Assert.StartsWith($"{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{{\"n\":{n},", await client.ReadLineAsync());
        }
        Assert.NotNull((await client.ReadAsync())["result"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Idle_stream_that_is_cut_is_opened_again_at_its_last_event(bool isAborted)
    {
        var opened = 0;
        var session = new SessionServer
        {
            Listen = async context =>
            {
                if (Interlocked.Increment(ref opened) == 1)
                {
                    await SessionServer.EventAsync(context, "retry: 20\nid: last\ndata:\n\n");
                    if (isAborted)
                    {
                        // A reset connection loses what was not read yet.
                        await Task.Delay(200, context.RequestAborted);
                        context.Abort();
                    }
                    return;
                }
                await SessionServer.EventAsync(context, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/after\"}\n\n");
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            },
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        Assert.Equal("""{"jsonrpc":"2.0","method":"notifications/after"}""", await client.ReadLineAsync());
        var gets = server.Exchanges.Where(exchange => exchange.Method == "GET").ToList();
        Assert.False(gets[0].Headers.ContainsKey("Last-Event-ID"));
        Assert.Equal("last", gets[1].Headers["Last-Event-ID"]);
    }

    [Theory]
    [InlineData("data: <html>\n\n")]
    [InlineData("data: {\"jsonrpc\":\"2.0\"}\n\n")]
    [InlineData("data: {\n\n")]
    [InlineData("data: \u0000\n\n")]
    public async Task Event_that_is_not_a_message_is_left_out(string events)
    {
        var session = new SessionServer
        {
            Answer = (context, _) => SessionServer.EventAsync(context, events + "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n"),
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        Assert.Equal("""{"jsonrpc":"2.0","id":1,"result":{}}""", (await client.AskAsync(Call)).ToJsonString());
    }

    [Fact]
    public async Task Requests_use_HTTP_2_if_the_server_offers_it()
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        using var versions = new VersionHandler();
        await using var client = new RelayClient(server.Url, handler: versions);
        await client.InitializeAsync();

        Assert.Equal((HttpVersion.Version20, HttpVersionPolicy.RequestVersionOrLower), versions.First);
    }

    private sealed class VersionHandler : DelegatingHandler
    {
        public (Version, HttpVersionPolicy)? First { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            First ??= (request.Version, request.VersionPolicy);
            return base.SendAsync(request, cancellationToken);
        }
    }
}

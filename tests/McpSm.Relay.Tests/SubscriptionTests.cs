using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Relay.Tests;

/// <summary><c>subscriptions/listen</c> of MCP 2026-07-28, whose stream can break at any time.</summary>
public sealed class SubscriptionTests
{
    private const string Listen =
        """{"jsonrpc":"2.0","id":"sub 1","method":"subscriptions/listen","params":{"""
        + """ "_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"},"""
        + """ "notifications":{"toolsListChanged":true,"resourceSubscriptions":["file:///a"]}}}""";

    private const string Updated = """{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"file:///a","""
        + """ "_meta":{"x":1.0,"io.modelcontextprotocol/subscriptionId":ID}}}""";

    private readonly TaskCompletionSource _break = new();
    private int _streams;

    [Fact]
    public async Task Broken_subscription_is_reopened_and_everything_agreed_has_changed()
    {
        await using var server = await ScriptedServer.StartAsync((context, body) => ServeAsync(body, async (n, id) =>
        {
            if (n == 1)
            {
                await AcknowledgeAsync(context, id);
                await _break.Task;
                context.Abort();
                return;
            }
            if (n == 2)
            {
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                return;
            }
            await AcknowledgeAsync(context, id);
            await SessionServer.EventAsync(context, $"data: {Updated.Replace("ID", id)}\n\n");
            var meta = $$"""{"io.modelcontextprotocol/subscriptionId":{{id}}}""";
            await SessionServer.EventAsync(context,
                $$$"""data: {"jsonrpc":"2.0","id":{{{id}}},"result":{"resultType":"complete","_meta":{{{meta}}}}}""" + "\n\n");
        }));
        await using var client = new RelayClient(server.Url, options: new RelayOptions { MaxRetryAfter = TimeSpan.Zero });

        await client.SendAsync(Listen);
        Assert.Equal("notifications/subscriptions/acknowledged", (string?)(await ReadOwnAsync(client))["method"]);
        _break.SetResult();

        Assert.Equal("notifications/tools/list_changed", (string?)(await ReadOwnAsync(client))["method"]);
        var updated = await ReadOwnAsync(client);
        Assert.Equal("notifications/resources/updated", (string?)updated["method"]);
        Assert.Equal("file:///a", (string?)updated["params"]!["uri"]);
        Assert.Equal(Updated.Replace("ID", "\"sub 1\""), await client.ReadLineAsync());
        var end = await client.ReadAsync();
        Assert.Equal("sub 1", (string?)end["id"]);
        Assert.Equal("sub 1", (string?)end["result"]!["_meta"]!["io.modelcontextprotocol/subscriptionId"]);
        Assert.Equal(3, server.Exchanges.Select(exchange => JsonNode.Parse(exchange.Body)!["id"]!.ToJsonString()).Distinct().Count());
    }

    [Fact]
    public async Task Subscription_that_breaks_before_it_is_acknowledged_is_acknowledged_once()
    {
        await using var server = await ScriptedServer.StartAsync((context, body) => ServeAsync(body, async (n, id) =>
        {
            if (n == 1)
            {
                await SessionServer.EventAsync(context, "retry: 10\n: begun\n\n");
                return;
            }
            await AcknowledgeAsync(context, id);
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }));
        await using var client = new RelayClient(server.Url);

        await client.SendAsync(Listen);

        Assert.Equal("notifications/subscriptions/acknowledged", (string?)(await ReadOwnAsync(client))["method"]);
        Assert.True(await client.IsSilentAsync(TimeSpan.FromMilliseconds(200)));
    }

    [Fact]
    public async Task Subscription_that_ended_with_a_result_is_not_opened_again()
    {
        await using var server = await ScriptedServer.StartAsync((context, body) => ServeAsync(body, async (_, id) =>
        {
            await AcknowledgeAsync(context, id);
            await SessionServer.EventAsync(context, $$$"""data: {"jsonrpc":"2.0","id":{{{id}}},"result":{"resultType":"complete"}}""" + "\n\n");
        }));
        await using var client = new RelayClient(server.Url);

        await client.SendAsync(Listen);
        await client.ReadLineAsync();

        Assert.NotNull((await client.ReadAsync())["result"]);
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.Equal(1, _streams);
    }

    [Fact]
    public async Task Subscription_that_the_server_cancels_is_not_opened_again()
    {
        await using var server = await ScriptedServer.StartAsync((context, body) => ServeAsync(body, async (_, id) =>
        {
            await AcknowledgeAsync(context, id);
            await SessionServer.EventAsync(context,
                $$$"""data: {"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":{{{id}}}}}""" + "\n\n");
        }));
        await using var client = new RelayClient(server.Url);

        await client.SendAsync(Listen);
        await client.ReadLineAsync();

        Assert.Equal("sub 1", (string?)(await client.ReadAsync())["params"]!["requestId"]);
        await Task.Delay(200, TestContext.Current.CancellationToken);
        Assert.Equal(1, _streams);
    }

    [Fact]
    public async Task Subscription_that_the_client_cancels_closes_its_stream_and_stays_closed()
    {
        var closed = new TaskCompletionSource();
        await using var server = await ScriptedServer.StartAsync((context, body) => ServeAsync(body, async (_, id) =>
        {
            await AcknowledgeAsync(context, id);
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            closed.SetResult();
        }));
        await using var client = new RelayClient(server.Url);
        await client.SendAsync(Listen);
        await client.ReadLineAsync();

        await client.SendAsync("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"sub 1"}}""");

        await closed.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.True(await client.IsSilentAsync(TimeSpan.FromMilliseconds(200)));
        Assert.Equal(1, _streams);
    }

    private static async Task<JsonObject> ReadOwnAsync(RelayClient client)
    {
        var message = await client.ReadAsync();
        Assert.Equal("sub 1", (string?)message["params"]!["_meta"]!["io.modelcontextprotocol/subscriptionId"]);
        return message;
    }

    private static Task AcknowledgeAsync(HttpContext context, string id) => SessionServer.EventAsync(context,
        "retry: 10\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\","
        + "\"params\":{\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":" + id
        + "},\"notifications\":{\"toolsListChanged\":true,\"resourceSubscriptions\":[\"file:///a\"]}}}\n\n");

    private Task ServeAsync(string body, Func<int, string, Task> answer) =>
        answer(Interlocked.Increment(ref _streams), JsonNode.Parse(body)!["id"]!.ToJsonString());
}

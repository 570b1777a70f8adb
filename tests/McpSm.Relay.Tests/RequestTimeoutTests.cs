using Xunit;

namespace McpSm.Relay.Tests;

/// <summary>Time limits for the requests of a client.</summary>
public sealed class RequestTimeoutTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(200);

    [Fact]
    public async Task Request_that_takes_too_long_is_answered_and_cancelled()
    {
        var session = new SessionServer { Answer = (context, _) => Task.Delay(Timeout.Infinite, context.RequestAborted) };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url, options: new RelayOptions { RequestTimeout = Limit });
        await client.InitializeAsync();

        var answer = await client.AskAsync("""{"jsonrpc":"2.0","id":"slow","method":"tools/call","params":{"name":"a"}}""");

        Assert.Equal(504, (int?)answer["error"]!["code"]);
        Assert.Equal("slow", (string?)answer["id"]);
        await UntilAsync(() => server.Exchanges.Any(exchange =>
            exchange.Body == """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"slow","reason":"The request took too long."}}"""));
    }

    [Fact]
    public async Task Initialize_has_a_limit_of_its_own()
    {
        await using var server = await ScriptedServer.StartAsync((context, _) => Task.Delay(Timeout.Infinite, context.RequestAborted));
        await using var client = new RelayClient(server.Url, options: new RelayOptions { RequestTimeout = TimeSpan.FromHours(1), InitializeTimeout = Limit });

        var answer = await client.AskAsync("""{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}""");

        Assert.Equal(504, (int?)answer["error"]!["code"]);
        Assert.DoesNotContain(server.Exchanges, exchange => exchange.Body.Contains("cancelled", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Subscription_has_no_limit()
    {
        await using var server = await ScriptedServer.StartAsync(async (context, _) =>
        {
            await SessionServer.EventAsync(context, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/a\"}\n\n");
            await Task.Delay(4 * Limit, context.RequestAborted);
            await SessionServer.EventAsync(context, "data: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n\n");
        });
        await using var client = new RelayClient(server.Url, options: new RelayOptions { RequestTimeout = Limit });

        await client.SendAsync("""{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":"""
            + """{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}""");

        Assert.Equal("notifications/a", (string?)(await client.ReadAsync())["method"]);
        Assert.NotNull((await client.ReadAsync())["result"]);
    }

    [Fact]
    public async Task Request_that_is_answered_in_time_is_not_cancelled()
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url, options: new RelayOptions { RequestTimeout = Limit });
        await client.InitializeAsync();

        Assert.NotNull((await client.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}"""))["result"]);
        await Task.Delay(2 * Limit, Cancellation);

        Assert.DoesNotContain(server.Exchanges, exchange => exchange.Body.Contains("cancelled", StringComparison.Ordinal));
        Assert.Equal(0, await client.EndInputAsync());
    }

    private static async Task UntilAsync(Func<bool> isTrue)
    {
        for (var tries = 0; !isTrue(); tries++)
        {
            Assert.True(tries < 100, "The condition did not become true.");
            await Task.Delay(50, Cancellation);
        }
    }
}

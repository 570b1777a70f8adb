using System.Text.Json.Nodes;
using Xunit;

namespace McpSm.Relay.Tests.Chaos;

/// <summary>Every request gets one answer or one error, and no call runs twice, whatever the server does.</summary>
public sealed class ChaosTests
{
    private const int Calls = 400;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Calls_to_a_failing_server_are_answered_once_and_run_once(int seed)
    {
        var chaos = new ChaosServer(seed);
        await using var server = await ScriptedServer.StartAsync(chaos.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        var answers = new Dictionary<int, JsonObject>();
        for (var first = 0; first < Calls; first += 20)
        {
            if (first % 100 == 60)
            {
                chaos.LoseSession();
            }
            for (var n = first; n < first + 20; n++)
            {
                await client.SendAsync(Call(n));
            }
            for (var left = 20; left > 0;)
            {
                var message = await client.ReadAsync();
                if (message["method"] is null)
                {
                    left--;
                    // An id that was answered before would throw.
                    answers.Add((int)message["id"]!, message);
                }
            }
        }

        Assert.Equal(Calls, answers.Count);
        Assert.All(chaos.Runs, run => Assert.Equal(1, run.Value));
        Assert.All(answers.Where(answer => answer.Value["result"] is not null), answer => Assert.Equal(answer.Key - 1000, (int)answer.Value["result"]!["n"]!));
        Assert.All(answers.Values.Where(answer => answer["error"] is not null), answer => Assert.Equal("mcpsm", (string?)answer["error"]!["data"]!["source"]));
        // A sixth of the calls has no answer of the server.
        Assert.InRange(answers.Values.Count(answer => answer["error"] is not null), 20, Calls / 4);
        // One initialization for each session, however many calls met its loss at once.
        Assert.Equal(4, chaos.LostSessions);
        Assert.Equal(1 + chaos.LostSessions, chaos.Initializations);
        Assert.True(await client.IsSilentAsync(TimeSpan.FromMilliseconds(200)));
    }

    [Fact]
    public async Task Server_that_restarts_is_used_again_and_its_open_calls_get_errors()
    {
        var session = new SessionServer();
        var began = new TaskCompletionSource();
        session.Answer = async (context, message) =>
        {
            if ((string?)message["params"]!["name"] == "slow")
            {
                began.TrySetResult();
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return;
            }
            await SessionServer.JsonAsync(context, "{\"jsonrpc\":\"2.0\",\"id\":" + message["id"]!.ToJsonString() + ",\"result\":{}}");
        };
        var first = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(first.Url);
        await client.InitializeAsync();
        await client.SendAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow"}}""");
        await began.Task;

        var port = first.Url.Port;
        await first.StopAsync();
        Assert.Equal("mcpsm", (string?)(await client.ReadAsync())["error"]!["data"]!["source"]);
        Assert.Equal(503, (int)(await client.AskAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"a"}}"""))["error"]!["code"]!);
        session.Session = "restarted";
        await using var second = await ScriptedServer.StartAsync(session.HandleAsync, port);

        await client.SendAsync("""{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"a"}}""");
        var lines = new[] { await client.ReadAsync(), await client.ReadAsync() };

        Assert.Contains(lines, line => (int?)line["id"] == 3 && line["result"] is not null);
        Assert.Contains(lines, line => (string?)line["method"] == "notifications/tools/list_changed");
        Assert.Single(second.Exchanges, exchange => exchange.Body.Contains("\"initialize\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stream_of_the_server_that_is_cut_while_idle_is_opened_again()
    {
        var streams = 0;
        var session = new SessionServer
        {
            Listen = async context =>
            {
                if (Interlocked.Increment(ref streams) < 4)
                {
                    await SessionServer.EventAsync(context, $"retry: 5\nid: e{streams}\ndata:\n\n");
                    return;
                }
                await SessionServer.EventAsync(context,
                    "data: {\"jsonrpc\":\"2.0\",\"method\":\"after\",\"params\":{\"last\":\"" + context.Request.Headers["Last-Event-ID"] + "\"}}\n\n");
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            },
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        Assert.Equal("e3", (string?)(await client.ReadAsync())["params"]!["last"]);
    }

    private static string Call(int n) =>
        $$$$"""{"jsonrpc":"2.0","id":{{{{n + 1000}}}},"method":"tools/call","params":{"name":"count","arguments":{"n":{{{{n}}}}}}}""";
}

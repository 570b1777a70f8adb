using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Xunit;

namespace McpSm.Relay.Tests;

/// <summary>Requests of servers up to 2025-11-25 to the client.</summary>
public sealed class ServerRequestTests
{
    private const string Sampling = """{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"n":1.0}}""";

    private readonly SessionServer _session = new();
    private readonly ConcurrentQueue<string> _events = new();

    public ServerRequestTests() => _session.Listen = async context =>
    {
        await SessionServer.EventAsync(context, ": open\n\n");
        var own = _session.Session;
        while (!context.RequestAborted.IsCancellationRequested && own == _session.Session)
        {
            await Task.Delay(10);
            if (own == _session.Session && _events.TryDequeue(out var text))
            {
                await SessionServer.EventAsync(context, $"retry: 10\ndata: {text}\n\n");
            }
        }
    };

    [Fact]
    public async Task Id_that_is_still_open_gets_another_towards_the_client()
    {
        await using var server = await ScriptedServer.StartAsync(_session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();

        _events.Enqueue(Sampling);
        _events.Enqueue(Sampling);
        Assert.Equal(Sampling, await client.ReadLineAsync());
        var second = await client.ReadLineAsync();
        var id = JsonNode.Parse(second)!["id"]!.ToJsonString();
        Assert.NotEqual("1", id);
        Assert.EndsWith(""","jsonrpc":"2.0","method":"sampling/createMessage","params":{"n":1.0}}""", second);

        await client.SendAsync("{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"result\":{\"which\":\"second\"}}");
        await client.SendAsync("""{"jsonrpc":"2.0","id":1,"result":{"which":"first"}}""");
        await client.AskAsync("""{"jsonrpc":"2.0","id":9,"method":"tools/list"}""");

        var answers = server.Exchanges.Where(exchange => exchange.Body.Contains("which", StringComparison.Ordinal))
            .Select(exchange => JsonNode.Parse(exchange.Body)!).ToList();
        Assert.Equal(["second", "first"], answers.Select(answer => (string?)answer["result"]!["which"]));
        Assert.All(answers, answer => Assert.Equal(1, (int)answer["id"]!));
    }

    [Fact]
    public async Task Cancellation_by_the_server_names_the_id_that_the_client_knows()
    {
        await using var server = await ScriptedServer.StartAsync(_session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();
        _events.Enqueue(Sampling);
        _events.Enqueue(Sampling);
        await client.ReadLineAsync();
        var id = (await client.ReadAsync())["id"]!.ToJsonString();

        _events.Enqueue("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"late"}}""");

        Assert.Equal("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":" + id + ",\"reason\":\"late\"}}",
            await client.ReadLineAsync());
    }

    [Fact]
    public async Task Request_of_a_lost_session_is_cancelled_and_its_late_answer_is_dropped()
    {
        await using var server = await ScriptedServer.StartAsync(_session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();
        _events.Enqueue(Sampling);
        await client.ReadLineAsync();

        _session.Session = "restarted";
        await client.SendAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/list"}""");
        var lines = new[] { await client.ReadLineAsync(), await client.ReadLineAsync(), await client.ReadLineAsync() };
        Assert.Contains(lines, line => line.Contains("notifications/cancelled", StringComparison.Ordinal)
            && (int?)JsonNode.Parse(line)!["params"]!["requestId"] == 1);

        // The new session begins to count again, and the client answers the old request although it was cancelled.
        _events.Enqueue(Sampling);
        var again = await client.ReadAsync();
        Assert.NotEqual("1", again["id"]!.ToJsonString());
        await client.SendAsync("""{"jsonrpc":"2.0","id":1,"result":{"which":"old"}}""");
        await client.SendAsync("{\"jsonrpc\":\"2.0\",\"id\":" + again["id"]!.ToJsonString() + ",\"result\":{\"which\":\"new\"}}");
        await client.AskAsync("""{"jsonrpc":"2.0","id":9,"method":"tools/list"}""");

        var answer = Assert.Single(server.Exchanges, exchange => exchange.Body.Contains("which", StringComparison.Ordinal));
        Assert.Equal("new", (string?)JsonNode.Parse(answer.Body)!["result"]!["which"]);
        Assert.Equal(1, (int)JsonNode.Parse(answer.Body)!["id"]!);
    }

    [Fact]
    public async Task Batch_of_the_server_keeps_the_bytes_of_all_but_the_id()
    {
        await using var server = await ScriptedServer.StartAsync(_session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();
        var batch = "[ " + Sampling + " , {\"jsonrpc\":\"2.0\",\"method\":\"n\"}]";

        _events.Enqueue(batch);
        Assert.Equal(batch, await client.ReadLineAsync());
        _events.Enqueue(batch);
        var changed = JsonNode.Parse(await client.ReadLineAsync())!.AsArray();

        Assert.NotEqual("1", changed[0]!["id"]!.ToJsonString());
        var id = changed[0]!["id"]!.ToJsonString();
        await client.SendAsync("[{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"result\":{}},{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]");
        await client.AskAsync("""{"jsonrpc":"2.0","id":9,"method":"tools/list"}""");
        Assert.Contains(server.Exchanges, exchange => exchange.Body.StartsWith('[')
            && JsonNode.Parse(exchange.Body)!.AsArray().All(answer => (int)answer!["id"]! == 1));
    }
}

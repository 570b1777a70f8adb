using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace McpSm.Relay.Tests.Chaos;

/// <summary>A server of 2025-11-25 that fails in every way it can, and counts what it did.</summary>
internal sealed class ChaosServer(int seed)
{
    private readonly Lock _gate = new();
    private readonly Random _random = new(seed);
    private readonly ConcurrentDictionary<string, string> _resumable = new();
    private string _session = "";
    private int _sessions;

    /// <summary>How often each call was run, by its argument.</summary>
    public ConcurrentDictionary<int, int> Runs { get; } = new();

    /// <summary>Sessions that the server forgot.</summary>
    public int LostSessions { get; private set; }

    public int Initializations => _sessions;

    /// <summary>Forgets the session.</summary>
    public void LoseSession()
    {
        lock (_gate)
        {
            (_session, LostSessions) = ("", LostSessions + 1);
        }
    }

    public async Task HandleAsync(HttpContext context, string body)
    {
        if (HttpMethods.IsDelete(context.Request.Method))
        {
            return;
        }
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await ResumeAsync(context);
            return;
        }
        var message = JsonNode.Parse(body)!;
        var method = (string?)message["method"];
        if (method == "initialize")
        {
            string session;
            lock (_gate)
            {
                session = _session = $"s{++_sessions}";
            }
            context.Response.Headers["Mcp-Session-Id"] = session;
            await SessionServer.JsonAsync(context, Answer(message, """{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}}"""));
            return;
        }
        if (context.Request.Headers["Mcp-Session-Id"] != _session)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (message["id"] is null)
        {
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            return;
        }
        await CallAsync(context, message, Next(100));
    }

    private async Task CallAsync(HttpContext context, JsonNode message, int chance)
    {
        if (chance < 5)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "0";
            return;
        }
        var n = (int)message["params"]!["arguments"]!["n"]!;
        Runs.AddOrUpdate(n, 1, (_, runs) => runs + 1);
        var answer = Answer(message, $$$"""{"content":[],"n":{{{n}}}}""");
        switch (chance)
        {
            case < 10:
                context.Abort();
                break;
            case < 15:
                await SessionServer.EventAsync(context, ": no answer\n\n");
                break;
            case < 20:
                await SessionServer.EventAsync(context, "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n");
                context.Abort();
                break;
            case < 40:
                var id = Guid.NewGuid().ToString();
                _resumable[id] = answer;
                await SessionServer.EventAsync(context, $"id: {id}\nretry: 5\ndata:\n\n");
                break;
            case < 70:
                await SessionServer.EventAsync(context, $"data: {answer}\n\n");
                break;
            default:
                await SessionServer.JsonAsync(context, answer);
                break;
        }
    }

    private async Task ResumeAsync(HttpContext context)
    {
        if (context.Request.Headers["Last-Event-ID"].ToString() is not { Length: > 0 } last)
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
        }
        else if (Next(3) == 0)
        {
            // Not yet, and cut again.
            await SessionServer.EventAsync(context, ": wait\n\n");
        }
        else
        {
            await SessionServer.EventAsync(context, $"data: {_resumable[last]}\n\n");
        }
    }

    private int Next(int below)
    {
        lock (_gate)
        {
            return _random.Next(below);
        }
    }

    private static string Answer(JsonNode message, string result) =>
        "{\"jsonrpc\":\"2.0\",\"id\":" + message["id"]!.ToJsonString() + ",\"result\":" + result + "}";
}

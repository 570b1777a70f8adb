using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace McpSm.Relay.Tests;

/// <summary>What a server of 2025-11-25 with sessions answers, as far as a test does not change it.</summary>
internal sealed class SessionServer
{
    private int _sessions;

    public string Session { get; set; } = "";

    public string Capabilities { get; set; } = """{"tools":{"listChanged":true}}""";

    /// <summary>Answers a message of the client that is not about the session; null to echo it.</summary>
    public Func<HttpContext, JsonNode, Task>? Answer { get; set; }

    /// <summary>Serves the stream of the server; null for a server without one.</summary>
    public Func<HttpContext, Task>? Listen { get; set; }

    public async Task HandleAsync(HttpContext context, string body)
    {
        if (HttpMethods.IsDelete(context.Request.Method))
        {
            return;
        }
        var isInitialize = body.Contains("\"initialize\"", StringComparison.Ordinal);
        if (!isInitialize && context.Request.Headers["Mcp-Session-Id"] != Session)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }
        if (HttpMethods.IsGet(context.Request.Method))
        {
            if (Listen is null)
            {
                context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
                return;
            }
            await Listen(context);
            return;
        }
        if (isInitialize)
        {
            Session = $"session-{++_sessions}";
            context.Response.Headers["Mcp-Session-Id"] = Session;
            var id = JsonNode.Parse(body)!["id"]!.ToJsonString();
            await JsonAsync(context, "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":" + Capabilities
                + ",\"serverInfo\":{\"name\":\"s\",\"version\":\"1\"}}}");
            return;
        }
        var message = JsonNode.Parse(body)!;
        if (message is JsonObject one && one["id"] is null)
        {
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            return;
        }
        if (Answer is not null)
        {
            await Answer(context, message);
            return;
        }
        await JsonAsync(context, $$$"""{"jsonrpc":"2.0","id":{{{message["id"]!.ToJsonString()}}},"result":{"method":"{{{message["method"]}}}"}}""");
    }

    public static Task JsonAsync(HttpContext context, string json)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(json, Encoding.UTF8);
    }

    public static async Task EventAsync(HttpContext context, string events)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.ContentType = "text/event-stream";
        }
        await context.Response.WriteAsync(events);
        await context.Response.Body.FlushAsync();
    }
}

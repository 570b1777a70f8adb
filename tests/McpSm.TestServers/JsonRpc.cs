using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace McpSm.TestServers;

/// <summary>A minimal MCP server of a revision before 2026-07-28 over Streamable HTTP: JSON responses, without sessions and streams.</summary>
internal static class JsonRpc
{
    public static async Task AnswerAsync(HttpContext context, string protocolVersion)
    {
        if (!HttpMethods.IsPost(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            context.Response.Headers.Allow = "POST";
            return;
        }

        JsonObject? message;
        try
        {
            message = await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted) as JsonObject;
        }
        catch (JsonException)
        {
            message = null;
        }

        if (message?["method"]?.GetValue<string>() is not { } method)
        {
            await WriteAsync(context, StatusCodes.Status400BadRequest, Error(null, -32600, "Invalid request"));
            return;
        }

        if (message["id"] is not { } id)
        {
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            return;
        }

        var answer = Result(method, protocolVersion) is { } result
            ? new JsonObject { ["jsonrpc"] = "2.0", ["id"] = id.DeepClone(), ["result"] = result }
            : Error(id.DeepClone(), -32601, "Method not found");
        await WriteAsync(context, StatusCodes.Status200OK, answer);
    }

    private static JsonObject? Result(string method, string protocolVersion) => method switch
    {
        "initialize" => new JsonObject
        {
            ["protocolVersion"] = protocolVersion,
            ["capabilities"] = new JsonObject { ["tools"] = new JsonObject() },
            ["serverInfo"] = new JsonObject { ["name"] = "test-server", ["version"] = "1.2.3" },
        },
        "tools/list" => new JsonObject { ["tools"] = new JsonArray(Tool("first"), Tool("second")) },
        "ping" => [],
        _ => null,
    };

    private static JsonObject Tool(string name) => new()
    {
        ["name"] = name,
        ["description"] = $"The {name} tool.",
        ["inputSchema"] = new JsonObject { ["type"] = "object" },
    };

    private static JsonObject Error(JsonNode? id, int code, string message) => new()
    {
        ["jsonrpc"] = "2.0",
        ["id"] = id,
        ["error"] = new JsonObject { ["code"] = code, ["message"] = message },
    };

    private static Task WriteAsync(HttpContext context, int status, JsonObject answer)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(answer.ToJsonString(), context.RequestAborted);
    }
}

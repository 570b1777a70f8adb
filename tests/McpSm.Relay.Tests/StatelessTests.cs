using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Relay.Tests;

/// <summary>The relay with a client and a server of MCP 2026-07-28.</summary>
public sealed class StatelessTests
{
    private const string Meta = "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{}}";
    private const string SqlProperties = """{"region":{"type":"string","x-mcp-header":"Region"},"""
        + """ "o":{"type":"object","properties":{"limit":{"type":"integer","x-mcp-header":"Limit"}}}}""";
    private const string Tools = $$$$$"""
        {"tools":[
        {"name":"bad","inputSchema":{"type":"object","properties":{"n":{"type":"number","x-mcp-header":"N"}}}},
        {"name":"sql","inputSchema":{"type":"object","properties":{{{{{SqlProperties}}}}}}},
        {"name":"ref","inputSchema":{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"type":"string","x-mcp-header":"A"}}}},
        {"name":"plain","inputSchema":{"type":"object"}}
        ,  {"name":"twice","inputSchema":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}}
        ],"nextCursor":null}
        """;

    [Fact]
    public async Task Headers_repeat_the_version_the_method_and_the_name()
    {
        await using var server = await ScriptedServer.StartAsync(EchoAsync);
        await using var client = new RelayClient(server.Url);

        await client.AskAsync(Request(1, "server/discover"));
        await client.AskAsync(Request(2, "prompts/get", "\"name\":\"道具\""));
        await client.AskAsync(Request(3, "resources/read", "\"uri\":\"file:///a b\""));
        await client.AskAsync(Request(4, "tasks/get", "\"taskId\":\" t\""));

        var sent = server.Exchanges.ToList();
        Assert.Equal(["server/discover", "prompts/get", "resources/read", "tasks/get"], sent.Select(exchange => exchange.Headers["Mcp-Method"]));
        Assert.All(sent, exchange => Assert.Equal("2026-07-28", exchange.Headers["MCP-Protocol-Version"]));
        Assert.All(sent, exchange => Assert.DoesNotContain("Mcp-Session-Id", exchange.Headers.Keys));
        Assert.False(sent[0].Headers.ContainsKey("Mcp-Name"));
        Assert.Equal(["=?base64?6YGT5YW3?=", "file:///a b", "=?base64?IHQ=?="], sent.Skip(1).Select(exchange => exchange.Headers["Mcp-Name"]));
    }

    [Fact]
    public async Task Tools_with_invalid_header_marks_are_left_out_and_the_rest_is_unchanged()
    {
        await using var server = await ScriptedServer.StartAsync((context, body) => ResultAsync(context, body, Tools));
        await using var client = new RelayClient(server.Url);

        await client.SendAsync(Request(1, "tools/list"));
        var line = await client.ReadLineAsync();

        Assert.Equal(["sql", "plain"], JsonNode.Parse(line)!["result"]!["tools"]!.AsArray().Select(tool => (string?)tool!["name"]));
        Assert.Contains("""{"name":"plain","inputSchema":{"type":"object"}}""", line);
    }

    [Fact]
    public async Task Marked_arguments_of_a_tool_become_headers()
    {
        await using var server = await ScriptedServer.StartAsync((context, body) =>
            body.Contains("tools/list", StringComparison.Ordinal) ? ResultAsync(context, body, Tools) : EchoAsync(context, body));
        await using var client = new RelayClient(server.Url);

        // The tool was not listed before: the relay asks for the list itself.
        await client.AskAsync(Request(7, "tools/call", "\"name\":\"sql\",\"arguments\":{\"region\":\"eu\",\"o\":{\"limit\":1e2},\"other\":1}"));

        var call = server.Exchanges.Last();
        Assert.Equal("eu", call.Headers["Mcp-Param-Region"]);
        Assert.Equal("100", call.Headers["Mcp-Param-Limit"]);
        Assert.Equal("sql", call.Headers["Mcp-Name"]);
        Assert.Equal(2, server.Exchanges.Count);
    }

    [Fact]
    public async Task Header_mismatch_lists_the_tools_again_and_retries_once()
    {
        var lists = 0;
        await using var server = await ScriptedServer.StartAsync(async (context, body) =>
        {
            if (body.Contains("tools/list", StringComparison.Ordinal))
            {
                await ResultAsync(context, body, lists++ == 0 ? Tools : Tools.Replace("Region", "Place", StringComparison.Ordinal));
            }
            else if (context.Request.Headers.ContainsKey("Mcp-Param-Place"))
            {
                await EchoAsync(context, body);
            }
            else
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                await SessionServer.JsonAsync(context, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32020,\"message\":\"mismatch\"}}");
            }
        });
        await using var client = new RelayClient(server.Url);

        var answer = await client.AskAsync(Request(7, "tools/call", "\"name\":\"sql\",\"arguments\":{\"region\":\"eu\"}"));

        Assert.NotNull(answer["result"]);
        Assert.Equal(2, lists);
    }

    [Fact]
    public async Task Cancelling_closes_the_stream_of_the_request_alone()
    {
        var closed = new TaskCompletionSource();
        var began = new TaskCompletionSource();
        await using var server = await ScriptedServer.StartAsync(async (context, body) =>
        {
            if (!body.Contains("slow", StringComparison.Ordinal))
            {
                await EchoAsync(context, body);
                return;
            }
            await SessionServer.EventAsync(context, ": begun\n\n");
            began.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            closed.SetResult();
        });
        await using var client = new RelayClient(server.Url);
        await client.SendAsync(Request(1, "resources/read", "\"uri\":\"slow\""));
        await began.Task;

        await client.SendAsync("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}""");

        await closed.Task.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        Assert.Equal(2, (int)(await client.AskAsync(Request(2, "prompts/list")))["id"]!);
        Assert.DoesNotContain(server.Exchanges, exchange => exchange.Body.Contains("cancelled", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Refusal_of_discover_reaches_a_client_that_can_fall_back()
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(async (context, body) =>
        {
            if (body.Contains("server/discover", StringComparison.Ordinal))
            {
                context.Response.StatusCode = StatusCodes.Status400BadRequest;
                await SessionServer.JsonAsync(context, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}");
                return;
            }
            await session.HandleAsync(context, body);
        });
        await using var client = new RelayClient(server.Url);

        Assert.Equal(-32601, (int)(await client.AskAsync(Request(1, "server/discover")))["error"]!["code"]!);
        Assert.NotNull((await client.InitializeAsync())["result"]);
    }

    private static string Request(int id, string method, string? parameters = null) =>
        "{\"jsonrpc\":\"2.0\",\"id\":" + id + ",\"method\":\"" + method + "\",\"params\":{" + (parameters is null ? "" : parameters + ",") + Meta + "}}";

    private static Task EchoAsync(HttpContext context, string body) => ResultAsync(context, body, "{}");

    private static Task ResultAsync(HttpContext context, string body, string result) => SessionServer.JsonAsync(context,
        "{\"jsonrpc\":\"2.0\",\"id\":" + JsonNode.Parse(body)!["id"]!.ToJsonString() + ",\"result\":" + result + "}");
}

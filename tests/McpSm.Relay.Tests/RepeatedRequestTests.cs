using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Relay.Tests;

/// <summary>Requests of MCP 2026-07-28 whose connection breaks before the answer.</summary>
public sealed class RepeatedRequestTests
{
    private const string Meta = "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}";

    [Theory]
    [InlineData("tools/list", "")]
    [InlineData("resources/read", "\"uri\":\"file:///a\",")]
    [InlineData("prompts/get", "\"name\":\"p\",")]
    [InlineData("tools/call", "\"name\":\"idempotent\",")]
    public async Task Request_that_can_be_repeated_is_sent_again_with_another_id(string method, string parameters)
    {
        var broken = 0;
        await using var server = await StartAsync(method, () => Interlocked.Increment(ref broken) == 1);
        await using var client = new RelayClient(server.Url);

        var answer = await client.AskAsync(Request(method, parameters));

        Assert.Equal(7, (int)answer["id"]!);
        Assert.NotNull(answer["result"]);
        var ids = server.Exchanges.Where(exchange => exchange.Headers["Mcp-Method"] == method)
            .Select(exchange => JsonNode.Parse(exchange.Body)!["id"]!.ToJsonString()).ToList();
        Assert.Equal("7", ids[0]);
        Assert.Equal(2, ids.Distinct().Count());
    }

    [Theory]
    [InlineData("tools/call", "\"name\":\"other\",")]
    [InlineData("tasks/cancel", "\"taskId\":\"t\",")]
    [InlineData("x/unknown", "")]
    public async Task Request_that_may_change_something_is_sent_once_and_gets_an_error(string method, string parameters)
    {
        await using var server = await StartAsync(method, () => true);
        await using var client = new RelayClient(server.Url);

        var answer = await client.AskAsync(Request(method, parameters));

        Assert.Equal(7, (int)answer["id"]!);
        Assert.Equal("ServerUnreachable", (string?)answer["error"]!["data"]!["reason"]);
        Assert.Single(server.Exchanges, exchange => exchange.Headers["Mcp-Method"] == method);
    }

    [Fact]
    public async Task Request_that_never_gets_through_gets_an_error_at_last()
    {
        await using var server = await StartAsync("prompts/list", () => true);
        await using var client = new RelayClient(server.Url);

        var answer = await client.AskAsync(Request("prompts/list", ""));

        Assert.Equal(504, (int)answer["error"]!["code"]!);
        Assert.Equal(4, server.Exchanges.Count);
    }

    [Fact]
    public async Task Connection_that_breaks_in_a_body_counts_as_broken()
    {
        var broken = 0;
        await using var server = await ScriptedServer.StartAsync(async (context, body) =>
        {
            if (Interlocked.Increment(ref broken) == 1)
            {
                context.Response.ContentType = "application/json";
                context.Response.ContentLength = 1000;
                await context.Response.WriteAsync("{\"jsonrpc\"");
                await context.Response.Body.FlushAsync();
                context.Abort();
                return;
            }
            await AnswerAsync(context, body);
        });
        await using var client = new RelayClient(server.Url);

        Assert.NotNull((await client.AskAsync(Request("prompts/list", "")))["result"]);
    }

    private static Task<ScriptedServer> StartAsync(string method, Func<bool> breaks) => ScriptedServer.StartAsync(async (context, body) =>
    {
        if (context.Request.Headers["Mcp-Method"] == method && breaks())
        {
            await SessionServer.EventAsync(context, "retry: 10\ndata:\n\n: begun\n\n");
            return;
        }
        await AnswerAsync(context, body);
    });

    private static Task AnswerAsync(HttpContext context, string body) =>
        SessionServer.JsonAsync(context, "{\"jsonrpc\":\"2.0\",\"id\":" + JsonNode.Parse(body)!["id"]!.ToJsonString()
            + ",\"result\":{\"tools\":[{\"name\":\"idempotent\",\"annotations\":{\"idempotentHint\":true}},"
            + "{\"name\":\"other\",\"annotations\":{\"idempotentHint\":false}}]}}");

    private static string Request(string method, string parameters) =>
        "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"" + method + "\",\"params\":{" + parameters + Meta + "}}";
}

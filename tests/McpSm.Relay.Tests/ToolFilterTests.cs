using System.Text.Json.Nodes;
using McpSm.Core.Servers;
using McpSm.Relay.Tools;
using Xunit;

namespace McpSm.Relay.Tests;

/// <summary>Tools that a relay leaves out.</summary>
public sealed class ToolFilterTests
{
    private const string Modern = "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}";

    private const string Tools = """[ {"name":"get_a","x":1.0} , {"name":"delete_a"},{"inputSchema":{"name":"delete_x"},"name":"get_b"}, """
        + """{"name":"DELETE_b"} ]""";

    [Theory]
    [InlineData("delete*", "delete_user", true)]
    [InlineData("delete*", "DeleteUser", true)]
    [InlineData("delete*", "undelete", false)]
    [InlineData("*account", "getAccount", true)]
    [InlineData("*account", "accounts", false)]
    [InlineData("exactTool", "exactTool", true)]
    [InlineData("exactTool", "exactTool2", false)]
    [InlineData("a*b*c", "aXbXbXc", true)]
    [InlineData("a*b*c", "aXbXbX", false)]
    [InlineData("*", "", true)]
    [InlineData("**x**", "axb", true)]
    [InlineData("a.c", "abc", false)]
    [InlineData("道*", "道具", true)]
    public void Pattern_matches_as_in_mcp_remote(string pattern, string name, bool matches) => Assert.Equal(matches, ToolPattern.IsMatch(pattern, name));

    [Theory]
    [InlineData("get_*", "", "get_a get_b")]
    [InlineData("", "delete_*", "get_a get_b")]
    [InlineData("*_a", "delete_*", "get_a")]
    [InlineData("", "get_a", "delete_a get_b DELETE_b")]
    [InlineData("", "*", "")]
    [InlineData("nothing", "", "")]
    [InlineData("*", "other", "get_a delete_a get_b DELETE_b")]
    public async Task List_of_a_server_with_sessions_has_only_tools_that_pass(string allow, string ignore, string expected)
    {
        var session = new SessionServer { Answer = (context, request) => SessionServer.JsonAsync(context, List(request["id"]!)) };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url, options: Create(allow, ignore));
        await client.InitializeAsync();

        var answer = await client.AskAsync("""{"jsonrpc":"2.0","id":"list","method":"tools/list","params":{"cursor":"page 2"}}""");

        Assert.Equal(expected, Names(answer["result"]!["tools"]!));
        Assert.Equal("page 3", (string?)answer["result"]!["nextCursor"]);
    }

    [Fact]
    public async Task Bytes_of_tools_that_pass_are_unchanged()
    {
        var session = new SessionServer { Answer = (context, request) => SessionServer.JsonAsync(context, List(request["id"]!)) };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url, options: Create("", "delete_*"));
        await client.InitializeAsync();

        await client.SendAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");

        Assert.Equal("""{"jsonrpc":"2.0","id":1,"result":{"tools":[ {"name":"get_a","x":1.0} ,{"inputSchema":{"name":"delete_x"},"name":"get_b"} ]"""
            + ""","nextCursor":"page 3"}}""",
            await client.ReadLineAsync());
    }

    [Fact]
    public async Task List_on_a_stream_is_filtered_and_list_changed_passes()
    {
        var session = new SessionServer
        {
            Answer = (context, request) => SessionServer.EventAsync(context,
                "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\ndata: " + List(request["id"]!) + "\n\n"),
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url, options: Create("", "delete_*"));
        await client.InitializeAsync();

        await client.SendAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");

        Assert.Equal("notifications/tools/list_changed", (string?)(await client.ReadAsync())["method"]);
        Assert.Equal("get_a get_b", Names((await client.ReadAsync())["result"]!["tools"]!));
    }

    [Fact]
    public async Task List_of_a_stateless_server_is_filtered()
    {
        await using var server = await ScriptedServer.StartAsync((context, body) => SessionServer.JsonAsync(context, List(JsonNode.Parse(body)!["id"]!)));
        await using var client = new RelayClient(server.Url, options: Create("", "delete_*"));

        var answer = await client.AskAsync($$$"""{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{{{{Modern}}}}}""");

        Assert.Equal("get_a get_b", Names(answer["result"]!["tools"]!));
    }

    [Theory]
    [InlineData("")]
    [InlineData("," + Modern)]
    public async Task Call_of_a_tool_that_is_left_out_is_refused_as_unknown(string meta)
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url, options: Create("", "delete_*"));
        await client.InitializeAsync();

        var answer = await client.AskAsync($$$"""{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"\u0064elete_a"{{{meta}}}}}""");

        Assert.Equal(-32602, (int?)answer["error"]!["code"]);
        Assert.Equal(7, (int?)answer["id"]);
        Assert.Contains("Unknown tool: delete_a", (string?)answer["error"]!["message"]);
        Assert.DoesNotContain(server.Exchanges, exchange => exchange.Body.Contains("tools/call", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Batch_loses_only_the_calls_that_are_refused()
    {
        var session = new SessionServer
        {
            Answer = (context, batch) => SessionServer.JsonAsync(context, "[" + List(batch[0]!["id"]!) + """,{"jsonrpc":"2.0","id":3,"result":{}}]"""),
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url, options: Create("", "delete_*"));
        await client.InitializeAsync();

        await client.SendAsync("""[{"jsonrpc":"2.0","id":1,"method":"tools/list"},"""
            + """{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"delete_a"}},"""
            + """{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"get_a"}}]""");
        var refused = JsonNode.Parse(await client.ReadLineAsync())!.AsArray();
        var answered = JsonNode.Parse(await client.ReadLineAsync())!.AsArray();

        Assert.Equal([2], refused.Select(answer => (int?)answer!["id"]));
        Assert.Equal(-32602, (int?)refused[0]!["error"]!["code"]);
        Assert.Equal([1, 3], answered.Select(answer => (int?)answer!["id"]));
        Assert.Equal("get_a get_b", Names(answered[0]!["result"]!["tools"]!));
        Assert.Equal("""[{"jsonrpc":"2.0","id":1,"method":"tools/list"},{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"get_a"}}]""",
            server.Exchanges.Single(exchange => exchange.Body.StartsWith('[')).Body);
    }

    [Fact]
    public async Task Batch_of_refused_calls_does_not_reach_the_server()
    {
        var session = new SessionServer();
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url, options: Create("get_*", ""));
        await client.InitializeAsync();

        await client.SendAsync("""[{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"delete_a"}}]""");

        Assert.Single(JsonNode.Parse(await client.ReadLineAsync())!.AsArray());
        Assert.DoesNotContain(server.Exchanges, exchange => exchange.Body.StartsWith('['));
    }

    [Theory]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{"tools":{"name":"delete_a"}}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":{"tools":["delete_a",null,{"name":1},{"other":"delete_a"}]}}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"result":[]}""")]
    [InlineData("""{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"tools"}}""")]
    public async Task Answer_that_does_not_list_tools_is_unchanged(string json)
    {
        var session = new SessionServer { Answer = (context, _) => SessionServer.JsonAsync(context, json) };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url, options: Create("", "delete_*"));
        await client.InitializeAsync();

        await client.SendAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""");

        Assert.Equal(json, await client.ReadLineAsync());
    }

    [Fact]
    public async Task Tool_a_hundred_thousand_levels_deep_does_not_end_the_relay()
    {
        var deep = string.Concat(Enumerable.Repeat("[", 90_000)) + string.Concat(Enumerable.Repeat("]", 90_000));
        var session = new SessionServer
        {
            Answer = (context, _) => SessionServer.JsonAsync(context,
                $$$"""{"jsonrpc":"2.0","id":1,"result":{"tools":[{"x":{{{deep}}},"name":"delete_a"},{"name":"get_a"}]}}"""),
        };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url, options: Create("", "delete_*"));
        await client.InitializeAsync();

        Assert.Equal("get_a", Names((await client.AskAsync("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}"""))["result"]!["tools"]!));
    }

    private static RelayOptions Create(string allow, string ignore) => new() { Tools = ToolFilter.Create([Split(allow)], Split(ignore)) };

    private static IReadOnlyList<string> Split(string patterns) => patterns.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static string Names(JsonNode tools) => string.Join(' ', tools.AsArray().Select(tool => (string?)tool!["name"]));

    private static string List(JsonNode id) => $$$"""{"jsonrpc":"2.0","id":{{{id.ToJsonString()}}},"result":{"tools":{{{Tools}}},"nextCursor":"page 3"}}""";
}

using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Relay.Tests;

/// <summary>Signing in from inside a client of MCP 2026-07-28.</summary>
public sealed class StatelessSignInTests : IAsyncLifetime
{
    private const string Urls = """{"elicitation":{"url":{}}}""";
    private const string Forms = """{"elicitation":{"form":{}}}""";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly ScriptedSignIn _signIn = new();
    private ScriptedServer _server = null!;
    private RelayClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ScriptedServer.StartAsync((context, body) =>
        {
            if (!_signIn.HasCredential)
            {
                context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                return Task.CompletedTask;
            }
            return SessionServer.JsonAsync(context,
                $"{{\"jsonrpc\":\"2.0\",\"id\":{JsonNode.Parse(body)!["id"]!.ToJsonString()},\"result\":{{\"resultType\":\"complete\"}}}}");
        });
        _client = new RelayClient(_server.Url, options: new RelayOptions
        {
            SignIn = _signIn,
            SignInTimeout = Limit,
            SignInPollInterval = TimeSpan.FromMilliseconds(20),
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("tools/call", "\"name\":\"a\"")]
    [InlineData("prompts/get", "\"name\":\"a\"")]
    [InlineData("resources/read", "\"uri\":\"a:b\"")]
    public async Task Request_that_may_ask_is_answered_with_the_url_and_then_sent_without_the_input(string method, string parameter)
    {
        var result = (await _client.AskAsync(Request(1, method, Urls, parameter)))["result"]!;
        Assert.Equal("input_required", (string?)result["resultType"]);
        var (key, question) = Assert.Single(result["inputRequests"]!.AsObject());
        Assert.Equal("elicitation/create", (string?)question!["method"]);
        Assert.Equal(_signIn.Url!.AbsoluteUri, (string?)question["params"]!["url"]);
        Assert.Null(question["params"]!["elicitationId"]);

        await _client.SendAsync(Request(2, method, Urls, parameter, Input(key, "accept", (string)result["requestState"]!)));
        await _signIn.Begun.WaitAsync(Limit, Cancellation);
        _signIn.End();

        var answer = await _client.ReadAsync();
        Assert.Equal(2, (int)answer["id"]!);
        Assert.Equal("complete", (string?)answer["result"]!["resultType"]);
        Assert.Equal(Request(2, method, Urls, parameter), _server.Exchanges.Last().Body);
    }

    [Fact]
    public async Task Form_is_asked_before_the_browser_opens()
    {
        var result = (await _client.AskAsync(Request(1, "tools/call", Forms, "\"name\":\"a\"")))["result"]!;
        var (key, question) = Assert.Single(result["inputRequests"]!.AsObject());
        Assert.NotNull(question!["params"]!["requestedSchema"]);
        Assert.False(_signIn.IsStarted);

        await _client.SendAsync(Request(2, "tools/call", Forms, "\"name\":\"a\"", Input(key, "accept", (string)result["requestState"]!)));

        await _signIn.Begun.WaitAsync(Limit, Cancellation);
        Assert.True(_signIn.IsInBrowser);
    }

    [Fact]
    public async Task Refused_question_gives_an_error_that_names_the_command()
    {
        var result = (await _client.AskAsync(Request(1, "tools/call", Urls, "\"name\":\"a\"")))["result"]!;
        var (key, _) = Assert.Single(result["inputRequests"]!.AsObject());

        var error =
            (await _client.AskAsync(Request(2, "tools/call", Urls, "\"name\":\"a\"", Input(key, "decline", (string)result["requestState"]!))))["error"]!;

        Assert.Equal("mcpsm auth login my-api", (string?)error["data"]!["command"]);
        Assert.True(_signIn.IsDisposed);
        Assert.False(_signIn.Begun.IsCompleted);
    }

    [Theory]
    [InlineData("server/discover")]
    [InlineData("tools/list")]
    [InlineData("subscriptions/listen")]
    public async Task Request_that_must_not_ask_gives_an_error_that_names_the_command(string method)
    {
        var error = (await _client.AskAsync(Request(1, method, Urls, "\"a\":1")))["error"]!;
        Assert.Equal("mcpsm auth login my-api", (string?)error["data"]!["command"]);
        Assert.Contains("Run 'mcpsm auth login my-api', then reconnect.", (string?)error["message"]);
        Assert.Equal(0, _signIn.Attempts);
    }

    [Fact]
    public async Task Client_that_cannot_ask_gets_the_browser()
    {
        await _client.SendAsync(Request(1, "tools/call", "{}", "\"name\":\"a\""));
        await _signIn.Begun.WaitAsync(Limit, Cancellation);
        Assert.True(_signIn.IsInBrowser);
        _signIn.End();
        Assert.NotNull((await _client.ReadAsync())["result"]);
    }

    private static string Input(string key, string action, string state) =>
        $",\"inputResponses\":{{\"{key}\":{{\"action\":\"{action}\"}}}},\"requestState\":\"{state}\"";

    private static string Request(int id, string method, string capabilities, string parameter, string input = "") =>
        $"{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{{{parameter}{input},"
        + "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
        + $"\"io.modelcontextprotocol/clientCapabilities\":{capabilities}}}}}}}";
}

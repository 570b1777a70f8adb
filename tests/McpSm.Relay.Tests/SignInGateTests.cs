using System.Text.Json.Nodes;
using McpSm.Relay.SignIn;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Relay.Tests;

/// <summary>Signing in from inside a client of MCP 2025-03-26 to 2025-11-25.</summary>
public sealed class SignInGateTests : IAsyncLifetime
{
    private const string Urls = """{"elicitation":{"form":{},"url":{}}}""";
    private const string Forms = """{"elicitation":{}}""";
    private const string None = "{}";
    private const string ListTools = """{"jsonrpc":"2.0","id":1,"method":"tools/list"}""";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly SessionServer _session = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("mcpsm-relay-").FullName;
    private ScriptedSignIn _signIn = new();
    private ScriptedServer _server = null!;
    private RelayClient _client = null!;

    private string MemoryFile => Path.Combine(_folder, "relay", "my-api.session.json");

    public async ValueTask InitializeAsync() => _server = await ScriptedServer.StartAsync(async (context, body) =>
    {
        if (!_signIn.HasCredential && !(_isOpenToAnyone && body.Contains("initialize", StringComparison.Ordinal)))
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return;
        }
        await _session.HandleAsync(context, body);
    });

    private bool _isOpenToAnyone;

    public async ValueTask DisposeAsync()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Request_waits_for_the_sign_in_and_is_sent_after_initialized()
    {
        var answer = await StartAsync(Urls);
        Assert.Equal("my-api", (string?)answer["result"]!["serverInfo"]!["name"]);
        Assert.Equal("""{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"listChanged":true}}""",
            answer["result"]!["capabilities"]!.ToJsonString());
        await _client.SendAsync(ListTools);

        var question = await _client.ReadAsync();
        Assert.Equal("url", (string?)question["params"]!["mode"]);
        Assert.Equal(_signIn.Url!.AbsoluteUri, (string?)question["params"]!["url"]);
        Assert.Equal((string?)question["id"], (string?)question["params"]!["elicitationId"]);
        await AnswerAsync(question, "accept");
        await _signIn.Begun.WaitAsync(Limit, Cancellation);
        Assert.False(_signIn.IsInBrowser);
        _signIn.End();

        Assert.Equal("notifications/elicitation/complete", (string?)(await _client.ReadAsync())["method"]);
        Assert.Equal("tools/list", (string?)(await ReadAnswerAsync())["result"]!["method"]);
        var methods = _server.Exchanges.Where(e => e.Method == "POST" && e.Headers.ContainsKey("Accept"))
            .Select(e => (string?)JsonNode.Parse(e.Body)!["method"]).ToList();
        Assert.Equal(["initialize", "initialize", "notifications/initialized", "tools/list"], methods);
        Assert.Equal(_server.Exchanges.First().Body, _server.Exchanges.ElementAt(1).Body);
        Assert.True(_signIn.IsDisposed);
    }

    [Fact]
    public async Task Form_is_asked_before_the_browser_opens()
    {
        await StartAsync(Forms);
        var question = await _client.ReadAsync();
        Assert.Equal("object", (string?)question["params"]!["requestedSchema"]!["type"]);
        Assert.Null(question["params"]!["url"]);
        Assert.False(_signIn.IsStarted);

        await AnswerAsync(question, "accept");

        await _signIn.Begun.WaitAsync(Limit, Cancellation);
        Assert.True(_signIn.IsInBrowser);
    }

    [Fact]
    public async Task Client_that_cannot_ask_gets_the_browser()
    {
        await StartAsync(None);
        await _signIn.Begun.WaitAsync(Limit, Cancellation);
        Assert.True(_signIn.IsInBrowser);
        _signIn.End();
        Assert.NotNull((await AskAsync(ListTools))["result"]);
    }

    [Fact]
    public async Task Nothing_is_asked_before_initialized()
    {
        await StartAsync(None, sendsInitialized: false);
        await Task.Delay(200, Cancellation);
        Assert.Equal(0, _signIn.Attempts);
        await _client.SendAsync("""{"jsonrpc":"2.0","method":"notifications/initialized"}""");
        await _signIn.Begun.WaitAsync(Limit, Cancellation);
    }

    [Theory]
    [InlineData("decline")]
    [InlineData("cancel")]
    public async Task Refused_question_gives_errors_until_a_sign_in_elsewhere(string action)
    {
        await StartAsync(Urls);
        await _client.SendAsync(ListTools);
        await AnswerAsync(await _client.ReadAsync(), action);

        var error = (await _client.ReadAsync())["error"]!;
        Assert.Equal("mcpsm auth login my-api", (string?)error["data"]!["command"]);
        Assert.Contains("was declined. Run 'mcpsm auth login my-api'.", (string?)error["message"]);
        Assert.NotNull((await AskAsync(ListTools))["error"]);
        Assert.False(_signIn.Begun.IsCompleted);

        _signIn.HasCredential = true;
        Assert.Equal("notifications/tools/list_changed", (string?)(await _client.ReadAsync())["method"]);
        Assert.NotNull((await AskAsync(ListTools))["result"]);
        Assert.Equal(1, _signIn.Attempts);
    }

    [Fact]
    public async Task Failed_sign_in_gives_errors_that_say_why()
    {
        await StartAsync(None);
        await _signIn.Begun.WaitAsync(Limit, Cancellation);
        _signIn.End("the issuer refused it.");

        var error = (await AskAsync(ListTools))["error"]!;

        Assert.Contains("The sign-in to 'my-api' failed: the issuer refused it. Run 'mcpsm auth login my-api'.", (string?)error["message"]);
        Assert.Equal(401, (int)error["code"]!);
    }

    [Fact]
    public async Task Request_fails_after_the_time_limit()
    {
        await StartAsync(None, TimeSpan.FromMilliseconds(300));
        Assert.Contains("within 0 seconds. Run 'mcpsm auth login my-api'.", (string?)(await AskAsync(ListTools))["error"]!["message"]);
    }

    [Fact]
    public async Task Sign_in_of_another_relay_is_used_without_a_question()
    {
        _signIn.IsTaken = true;
        await StartAsync(Urls);
        await _client.SendAsync(ListTools);
        await Task.Delay(200, Cancellation);
        _signIn.HasCredential = true;

        Assert.NotNull((await ReadAnswerAsync())["result"]);
        Assert.Equal(0, _signIn.Attempts);
    }

    [Fact]
    public async Task Sign_in_that_ended_elsewhere_is_not_repeated()
    {
        _signIn.HasEnded = true;
        await StartAsync(Urls);
        Assert.Contains("ended a short time ago", (string?)(await AskAsync(ListTools))["error"]!["message"]);
        Assert.Equal(0, _signIn.Attempts);
    }

    [Fact]
    public async Task Session_without_a_desktop_gets_an_error_at_once()
    {
        _signIn = new ScriptedSignIn { HasDesktop = false };
        await StartAsync(Forms);
        Assert.Contains("no browser can be opened here", (string?)(await AskAsync(ListTools))["error"]!["message"]);
        Assert.False(_signIn.IsStarted);
    }

    [Fact]
    public async Task Ping_is_answered_while_requests_wait()
    {
        await StartAsync(None);
        await _client.SendAsync(ListTools);
        Assert.Equal("""{"jsonrpc":"2.0","id":"p","result":{}}""", (await AskAsync("""{"jsonrpc":"2.0","id":"p","method":"ping"}""")).ToJsonString());
    }

    [Fact]
    public async Task Cancelled_request_is_not_sent_after_the_sign_in()
    {
        await StartAsync(None);
        await _client.SendAsync("""{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"a"}}""");
        await _client.SendAsync("""{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}""");
        await Task.Delay(200, Cancellation);
        _signIn.End();

        Assert.NotNull((await AskAsync(ListTools))["result"]);
        Assert.DoesNotContain(_server.Exchanges, e => e.Body.Contains("tools/call", StringComparison.Ordinal));
    }

    [Fact]
    public async Task List_that_the_server_does_not_have_is_empty()
    {
        await StartAsync(None);
        _signIn.End();

        Assert.Equal("""{"resourceTemplates":[]}""",
            (await AskAsync("""{"jsonrpc":"2.0","id":2,"method":"resources/templates/list"}"""))["result"]!.ToJsonString());
        Assert.Equal("""{"prompts":[]}""", (await AskAsync("""{"jsonrpc":"2.0","id":3,"method":"prompts/list"}"""))["result"]!.ToJsonString());
        Assert.Equal("tools/list", (string?)(await AskAsync(ListTools))["result"]!["method"]);
    }

    [Fact]
    public async Task Last_session_is_remembered_and_repeated()
    {
        _signIn.HasCredential = true;
        _session.Capabilities = """{"tools":{},"logging":{},"x":{"y":[1.0]}}""";
        await StartAsync(None);
        await _client.EndInputAsync();
        await _client.DisposeAsync();
        _signIn = new ScriptedSignIn();

        var answer = (await StartAsync(None))["result"]!;

        Assert.Equal(_session.Capabilities, answer["capabilities"]!.ToJsonString());
        Assert.Equal("s", (string?)answer["serverInfo"]!["name"]);
        _signIn.End();
        await _client.SendAsync(ListTools);
        // Nothing differs from what the client was told.
        Assert.NotNull((await _client.ReadAsync())["result"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[1]")]
    [InlineData("\"text\"")]
    [InlineData("{\"url\":1,\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"evil\":{}}}")]
    [InlineData("{\"url\":\"https://other.example/mcp\",\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"evil\":{}}}")]
    [InlineData("{\"url\":\"<url>\",\"protocolVersion\":\"2099-01-01\",\"capabilities\":{\"evil\":{}}}")]
    [InlineData("{\"url\":\"<url>\",\"protocolVersion\":\"2025-11-25\",\"capabilities\":[\"evil\"]}")]
    [InlineData("{\"url\":\"<url>\",\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"evil\":<deep>}}")]
    [InlineData("{\"url\":\"<url>\",\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"evil\":\"<long>\"}}")]
    [InlineData("{\"url\":\"<url>\",\"protocolVersion\":\"\\ud800\",\"capabilities\":{\"evil\":{}}}")]
    public async Task Damaged_memory_counts_as_none(string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(MemoryFile)!);
        await File.WriteAllTextAsync(MemoryFile, content.Replace("<url>", _server.Url.OriginalString).Replace("<long>", new string('x', 100_000))
            .Replace("<deep>", new string('[', 70) + new string(']', 70)), Cancellation);
        Assert.DoesNotContain("evil", (await StartAsync(None)).ToJsonString());
    }

    [Theory]
    [InlineData("2025-06-18", "2025-06-18")]
    [InlineData("2024-11-05", "2024-11-05")]
    [InlineData("2099-01-01", "2025-11-25")]
    public async Task Version_is_that_of_the_client_if_it_is_known(string asked, string given) =>
        Assert.Equal(given, (string?)(await StartAsync(None, version: asked))["result"]!["protocolVersion"]);

    [Fact]
    public async Task Server_of_another_version_gives_errors_that_say_to_reconnect()
    {
        await StartAsync(None, version: "2025-06-18");
        await _signIn.Begun.WaitAsync(Limit, Cancellation);
        _signIn.End();
        Assert.EndsWith("Reconnect.", (string?)(await AskAsync(ListTools))["error"]!["message"]);
    }

    [Fact]
    public async Task Credential_that_is_lost_later_is_not_asked_for()
    {
        _signIn.HasCredential = true;
        await StartAsync(Urls);
        Assert.NotNull((await AskAsync(ListTools))["result"]);
        _signIn.HasCredential = false;

        var error = (await AskAsync(ListTools))["error"]!;

        Assert.Contains("Run 'mcpsm auth login my-api', then reconnect.", (string?)error["message"]);
        Assert.Equal(0, _signIn.Attempts);
    }

    [Fact]
    public async Task Server_that_begins_a_session_with_anyone_is_asked_for_at_the_first_request()
    {
        _isOpenToAnyone = true;
        await StartAsync(None);
        Assert.Equal(0, _signIn.Attempts);
        await _client.SendAsync(ListTools);
        await _signIn.Begun.WaitAsync(Limit, Cancellation);
        _signIn.End();
        Assert.NotNull((await ReadAnswerAsync())["result"]);
    }

    [Fact]
    public async Task Server_whose_credential_is_not_of_a_person_gives_the_error()
    {
        _signIn = new ScriptedSignIn { IsForPerson = false };
        Assert.Contains("then reconnect", (string?)(await StartAsync(Urls))["error"]!["message"]);
        Assert.Equal(0, _signIn.Attempts);
    }

    private async Task<JsonObject> StartAsync(string capabilities, TimeSpan? limit = null, bool sendsInitialized = true, string version = "2025-11-25")
    {
        _client = new RelayClient(_server.Url, options: new RelayOptions
        {
            SignIn = _signIn,
            SignInTimeout = limit ?? Limit,
            SignInPollInterval = TimeSpan.FromMilliseconds(20),
            Memory = new ServerMemory(MemoryFile, _server.Url.OriginalString, null),
        });
        var answer = await _client.AskAsync(
            """{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"clientInfo":{"name":"t","version":"1"},"protocolVersion":"""
                + $"\"{version}\",\"capabilities\":{capabilities}}}}}");
        if (sendsInitialized)
        {
            await _client.SendAsync("""{"jsonrpc":"2.0","method":"notifications/initialized"}""");
        }
        return answer;
    }

    private Task AnswerAsync(JsonObject question, string action) =>
        _client.SendAsync($"{{\"jsonrpc\":\"2.0\",\"id\":{question["id"]!.ToJsonString()},\"result\":{{\"action\":\"{action}\"}}}}");

    private async Task<JsonObject> AskAsync(string request)
    {
        await _client.SendAsync(request);
        return await ReadAnswerAsync();
    }

    /// <summary>Reads the next answer, and skips notifications.</summary>
    private async Task<JsonObject> ReadAnswerAsync()
    {
        JsonObject line;
        while ((line = await _client.ReadAsync())["id"] is null)
        {
        }
        return line;
    }
}

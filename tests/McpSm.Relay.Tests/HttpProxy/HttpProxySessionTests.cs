using System.Net;
using System.Text.Json.Nodes;
using McpSm.Core.Servers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Relay.Tests.HttpProxy;

/// <summary>Callers of Streamable HTTP and servers of HTTP+SSE.</summary>
public sealed class HttpProxySessionTests
{
    private const string Initialize =
        """{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"""
        + """ "clientInfo":{"name":"t","version":"1"}}}""";
    private const string Sample = """{"jsonrpc":"2.0","id":"s-1","method":"sampling/createMessage","params":{}}""";
    private const string Changed = """{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}""";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly EventSourceServer _events = new();

    [Theory]
    [InlineData(McpTransport.Sse)]
    [InlineData(McpTransport.Http)]
    public async Task Caller_has_a_session_with_the_older_server(McpTransport transport)
    {
        await using var server = await ScriptedServer.StartAsync(_events.HandleAsync);
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url, transport);

        var session = await OpenAsync(proxy);
        using var notified = await PostAsync(proxy, session, """{"jsonrpc":"2.0","method":"notifications/initialized"}""");
        using var listed = await PostAsync(proxy, session, """
            {
              "jsonrpc": "2.0", "id": "a\u0062",
              "method": "tools/list"
            }
            """);

        Assert.Equal(HttpStatusCode.Accepted, notified.StatusCode);
        Assert.Equal("application/json", listed.Content.Headers.ContentType?.MediaType);
        Assert.Equal(("ab", "tools/list"), await ReadAsync(listed));
        Assert.All(server.Exchanges, exchange => Assert.Equal($"Bearer {HttpProxyFixture.ServerToken}", exchange.Headers["Authorization"]));
        Assert.Empty(proxy.Warnings);
    }

    [Fact]
    public async Task Later_session_skips_the_newer_transport()
    {
        await using var server = await ScriptedServer.StartAsync(_events.HandleAsync);
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url);
        await OpenAsync(proxy);
        await OpenAsync(proxy);

        // One is refused, and one begins each session.
        Assert.Equal(3, server.Exchanges.Count(exchange => exchange.Body.Contains("\"initialize\"", StringComparison.Ordinal)));
        Assert.Equal(2, _events.OpenStreams);
    }

    [Fact]
    public async Task Server_of_neither_transport_gives_its_first_answer()
    {
        await using var server = await ScriptedServer.StartAsync((context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return context.Response.WriteAsync("not here");
        });
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url);

        using var answer = await proxy.PostAsync(Initialize);

        Assert.Equal((HttpStatusCode.NotFound, "not here"), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation)));
    }

    [Fact]
    public async Task Refusal_in_JSON_RPC_does_not_fall_back()
    {
        const string refusal = """{"jsonrpc":"2.0","id":0,"error":{"code":-32602,"message":"version"}}""";
        await using var server = await ScriptedServer.StartAsync((context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return SessionServer.JsonAsync(context, refusal);
        });
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url);

        using var answer = await proxy.PostAsync(Initialize);

        Assert.Equal((HttpStatusCode.BadRequest, refusal), (answer.StatusCode, await answer.Content.ReadAsStringAsync(Cancellation)));
        Assert.Single(server.Exchanges);
    }

    [Fact]
    public async Task Request_of_the_server_comes_before_the_answer_on_a_stream()
    {
        _events.Before = message => (string?)message["method"] == "tools/call" ? [Sample] : [];
        await using var server = await ScriptedServer.StartAsync(_events.HandleAsync);
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url, McpTransport.Sse);
        var session = await OpenAsync(proxy);

        using var called = await PostAsync(proxy, session, """{"jsonrpc":"2.0","id":7,"method":"tools/call"}""");
        var text = await called.Content.ReadAsStringAsync(Cancellation);
        using var answered = await PostAsync(proxy, session, """{"jsonrpc":"2.0","id":"s-1","result":{}}""");

        Assert.Equal("text/event-stream", called.Content.Headers.ContentType?.MediaType);
        const string answer = """{"jsonrpc":"2.0","id":7,"result":{"method":"tools/call"}}""";
        Assert.Equal($"event: message\ndata: {Sample}\n\nevent: message\ndata: {answer}\n\n", text);
        Assert.Equal(HttpStatusCode.Accepted, answered.StatusCode);
        await WaitUntilAsync(() => server.Exchanges.Any(exchange => exchange.Body.Contains("\"s-1\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Stream_of_the_caller_gets_what_the_server_sends_by_itself()
    {
        await using var server = await ScriptedServer.StartAsync(_events.HandleAsync);
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url, McpTransport.Sse);
        var session = await OpenAsync(proxy);
        await _events.SendAsync(Changed);

        using var stream = await SendAsync(proxy, HttpMethod.Get, session);
        using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync(Cancellation));

        Assert.Equal(["event: message", $"data: {Changed}", ""], await ReadLinesAsync(lines, 3));
        await _events.SendAsync(Sample);
        Assert.Equal(["event: message", $"data: {Sample}", ""], await ReadLinesAsync(lines, 3));
    }

    [Fact]
    public async Task Newest_stream_of_the_caller_gets_each_message()
    {
        await using var server = await ScriptedServer.StartAsync(_events.HandleAsync);
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url, McpTransport.Sse);
        var session = await OpenAsync(proxy);
        using var lost = await SendAsync(proxy, HttpMethod.Get, session);

        using var stream = await SendAsync(proxy, HttpMethod.Get, session);
        await _events.SendAsync(Changed);

        using var lines = new StreamReader(await stream.Content.ReadAsStreamAsync(Cancellation));
        Assert.Equal(["event: message", $"data: {Changed}", ""], await ReadLinesAsync(lines, 3));
    }

    [Fact]
    public async Task Sessions_of_two_callers_are_separate()
    {
        await using var server = await ScriptedServer.StartAsync(_events.HandleAsync);
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url, McpTransport.Sse);
        var (first, second) = (await OpenAsync(proxy), await OpenAsync(proxy));

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(async i =>
        {
            using var answer = await PostAsync(proxy, i % 2 == 0 ? first : second, $$"""{"jsonrpc":"2.0","id":{{(i / 2) + 1}},"method":"m{{i}}"}""");
            return await ReadAsync(answer);
        }));

        Assert.NotEqual(first, second);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => ($"{(i / 2) + 1}", $"m{i}")), answers);
    }

    [Fact]
    public async Task Session_that_the_caller_ends_is_gone_on_both_sides()
    {
        await using var server = await ScriptedServer.StartAsync(_events.HandleAsync);
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url, McpTransport.Sse);
        var session = await OpenAsync(proxy);

        using var deleted = await SendAsync(proxy, HttpMethod.Delete, session);
        using var after = await PostAsync(proxy, session, """{"jsonrpc":"2.0","id":1,"method":"ping"}""");
        using var invented = await PostAsync(proxy, "mcpsm-00000000000000000000000000000000", """{"jsonrpc":"2.0","id":1,"method":"ping"}""");

        Assert.Equal(HttpStatusCode.NoContent, deleted.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, after.StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, invented.StatusCode);
        await WaitUntilAsync(() => _events.OpenStreams == 0);
    }

    [Theory]
    [InlineData("no JSON", HttpStatusCode.BadRequest)]
    [InlineData("""{"jsonrpc":"2.0","id":5,"method":"ping"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"jsonrpc":"2.0","id":6,"method":"server/discover"}""", HttpStatusCode.BadRequest)]
    public async Task Message_without_a_session_is_refused(string message, HttpStatusCode status)
    {
        await using var server = await ScriptedServer.StartAsync(_events.HandleAsync);
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url, McpTransport.Sse);

        using var answer = await proxy.PostAsync(message);
        using var stream = await proxy.SendAsync(HttpMethod.Get);

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, stream.StatusCode);
        Assert.Empty(server.Exchanges);
    }

    [Fact]
    public async Task Id_that_waits_for_its_answer_cannot_be_used_again()
    {
        _events.Unanswered = "slow";
        await using var server = await ScriptedServer.StartAsync(_events.HandleAsync);
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url, McpTransport.Sse);
        var session = await OpenAsync(proxy);
        var waiting = PostAsync(proxy, session, """{"jsonrpc":"2.0","id":1,"method":"slow"}""");
        await WaitUntilAsync(() => server.Exchanges.Any(exchange => exchange.Body.Contains("slow", StringComparison.Ordinal)));

        using var again = await PostAsync(proxy, session, """{"jsonrpc":"2.0","id":1,"method":"ping"}""");

        Assert.Equal(HttpStatusCode.BadRequest, again.StatusCode);
        proxy.Client.CancelPendingRequests();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Caller_without_a_sign_in_gets_the_command_and_no_session()
    {
        await using var server = await ScriptedServer.StartAsync((context, _) =>
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            return Task.CompletedTask;
        });
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url, McpTransport.Sse, isSignedIn: false);

        using var answer = await proxy.PostAsync(Initialize);

        var error = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!["error"]!;
        Assert.Equal("mcpsm auth login my-api", (string?)error["data"]!["command"]);
        Assert.NotEqual(HttpStatusCode.OK, answer.StatusCode);
        Assert.NotEqual(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.False(answer.Headers.Contains("Mcp-Session-Id"));
    }

    [Fact]
    public async Task Proxy_that_ends_closes_the_streams_of_its_sessions()
    {
        await using var server = await ScriptedServer.StartAsync(_events.HandleAsync);
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url, McpTransport.Sse);
        await OpenAsync(proxy);
        using var stream = await SendAsync(proxy, HttpMethod.Get, await OpenAsync(proxy));

        await proxy.EndAsync().WaitAsync(TimeSpan.FromSeconds(3), Cancellation);

        await WaitUntilAsync(() => _events.OpenStreams == 0);
    }

    [Fact]
    public async Task Session_without_callers_for_long_is_ended_and_a_used_one_stays()
    {
        await using var server = await ScriptedServer.StartAsync(_events.HandleAsync);
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url, McpTransport.Sse);
        var (left, used) = (await OpenAsync(proxy), await OpenAsync(proxy));
        using var stream = await SendAsync(proxy, HttpMethod.Get, used);

        proxy.Time.Advance(TimeSpan.FromMinutes(31));
        await OpenAsync(proxy);

        using var gone = await PostAsync(proxy, left, """{"jsonrpc":"2.0","id":1,"method":"ping"}""");
        using var kept = await PostAsync(proxy, used, """{"jsonrpc":"2.0","id":1,"method":"ping"}""");
        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.OK), (gone.StatusCode, kept.StatusCode));
        await WaitUntilAsync(() => _events.OpenStreams == 2);
    }

    [Fact]
    public async Task Session_beyond_the_limit_replaces_the_longest_unused_one()
    {
        await using var server = await ScriptedServer.StartAsync(_events.HandleAsync);
        await using var proxy = await HttpProxyFixture.StartAsync(server.Url, McpTransport.Sse);
        var first = await OpenAsync(proxy);
        proxy.Time.Advance(TimeSpan.FromMinutes(1));
        for (var opened = 1; opened <= 100; opened++)
        {
            await OpenAsync(proxy);
        }

        using var gone = await PostAsync(proxy, first, """{"jsonrpc":"2.0","id":1,"method":"ping"}""");

        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        await WaitUntilAsync(() => _events.OpenStreams == 100);
    }

    private static async Task<string> OpenAsync(HttpProxyFixture proxy)
    {
        using var answer = await proxy.PostAsync(Initialize).WaitAsync(Limit, Cancellation);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync(Cancellation));
        var id = answer.Headers.GetValues("Mcp-Session-Id").Single();
        using var initialized = await PostAsync(proxy, id, """{"jsonrpc":"2.0","method":"notifications/initialized"}""");
        return id;
    }

    private static Task<HttpResponseMessage> PostAsync(HttpProxyFixture proxy, string session, string json) =>
        proxy.PostAsync(json, request => request.Headers.Add("Mcp-Session-Id", session)).WaitAsync(Limit, Cancellation);

    private static Task<HttpResponseMessage> SendAsync(HttpProxyFixture proxy, HttpMethod method, string session) =>
        proxy.SendAsync(method, request => request.Headers.Add("Mcp-Session-Id", session)).WaitAsync(Limit, Cancellation);

    private static async Task<(string Id, string Method)> ReadAsync(HttpResponseMessage answer)
    {
        var json = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancellation))!;
        return (json["id"]!.ToString(), (string)json["result"]!["method"]!);
    }

    private static async Task<string?[]> ReadLinesAsync(StreamReader lines, int count)
    {
        var read = new string?[count];
        for (var i = 0; i < count; i++)
        {
            read[i] = await lines.ReadLineAsync(Cancellation).AsTask().WaitAsync(Limit, Cancellation);
        }
        return read;
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        for (var waited = 0; !condition(); waited++)
        {
            Assert.True(waited < 1000, "The condition did not come true.");
            await Task.Delay(10, Cancellation);
        }
    }
}

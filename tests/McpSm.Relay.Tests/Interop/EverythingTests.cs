using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpSm.Core.Servers;
using Xunit;

namespace McpSm.Relay.Tests.Interop;

/// <summary>A reference server of other authors gives the same messages directly and through the relay.</summary>
public sealed partial class EverythingTests
{
    private const string Initialize =
        """{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","""
        + """ "capabilities":{"sampling":{},"elicitation":{"form":{},"url":{}}},"clientInfo":{"name":"test","version":"1"}}}""";

    // Random by design, or on a timer.
    private static readonly string[] LeftOut = ["toggle-simulated-logging", "toggle-subscriber-updates"];

    private static readonly Dictionary<string, string> Arguments = new(StringComparer.Ordinal)
    {
        ["echo"] = """{"message":"h\u00e9llo 道具 \ud83d\ude00"}""",
        ["get-sum"] = """{"a":1.0,"b":2e0}""",
        ["get-annotated-message"] = """{"messageType":"error","includeImage":true}""",
        ["get-resource-links"] = """{"count":3}""",
        ["get-resource-reference"] = """{"resourceType":"Text","resourceId":1}""",
        ["get-structured-content"] = """{"location":"New York"}""",
        ["gzip-file-as-resource"] = """{"name":"a.gz","data":"data:text/plain;base64,aGVsbG8=","outputType":"resource"}""",
        ["simulate-research-query"] = """{"topic":"python","ambiguous":true}""",
        ["trigger-long-running-operation"] = """{"duration":0.2,"steps":4}""",
        ["trigger-sampling-request"] = """{"prompt":"say hello","maxTokens":5}""",
        ["trigger-url-elicitation"] = """{"url":"https://example.com/","message":"go","elicitationId":"e-1"}""",
    };

    [Theory]
    [InlineData(McpTransport.Http)]
    [InlineData(McpTransport.Sse)]
    public async Task Reference_server_gives_the_same_messages_through_the_relay(McpTransport transport)
    {
        await using var server = await EverythingServer.StartAsync(transport);

        var direct = await PlayAsync(new DirectClient(server.Url, transport));
        var relayed = await PlayAsync(new RelayedClient(server.Url, transport));

        // Messages of different streams have no order among themselves.
        Assert.Equal(direct.Order(StringComparer.Ordinal), relayed.Order(StringComparer.Ordinal));
        Assert.True(direct.Count > 50, $"Only {direct.Count} messages were compared.");
        Assert.Contains(direct, message => message.Contains("sampling/createMessage", StringComparison.Ordinal));
        Assert.Contains(direct, message => message.Contains("elicitation/create", StringComparison.Ordinal));
        Assert.InRange(direct.Count(message => message.Contains("notifications/progress", StringComparison.Ordinal)), 4, 10);
    }

    /// <summary>Uses all that the server offers.</summary>
    /// <returns>The messages of the server, without what differs at every run.</returns>
    private static async Task<IReadOnlyList<string>> PlayAsync(IMessageClient client)
    {
        await using var closing = client;
        var script = new Script(client);
        await script.AskAsync(Initialize);
        await client.SendAsync("""{"jsonrpc":"2.0","method":"notifications/initialized"}""");
        await script.AskAsync("ping");
        await script.AskAsync("logging/setLevel", """{"level":"debug"}""");
        await script.AskAsync("resources/templates/list");
        foreach (var tool in (await script.AskAsync("tools/list"))["tools"]!.AsArray().Select(tool => (string)tool!["name"]!).Except(LeftOut))
        {
            await script.AskAsync("tools/call",
                $$$"""{"name":"{{{tool}}}","arguments":{{{Arguments.GetValueOrDefault(tool, "{}")}}},"_meta":{"progressToken":"p-{{{tool}}}"}}""");
        }
        foreach (var prompt in (await script.AskAsync("prompts/list"))["prompts"]!.AsArray())
        {
            var arguments = new JsonObject((prompt!["arguments"]?.AsArray() ?? [])
                .Select(argument => KeyValuePair.Create((string)argument!["name"]!, (JsonNode?)"1")));
            await script.AskAsync("prompts/get", $$$"""{"name":"{{{prompt["name"]}}}","arguments":{{{arguments.ToJsonString()}}}}""");
        }
        foreach (var resource in (await script.AskAsync("resources/list"))["resources"]!.AsArray().Take(5))
        {
            await script.AskAsync("resources/read", $$$"""{"uri":"{{{resource!["uri"]}}}"}""");
            await script.AskAsync("resources/subscribe", $$$"""{"uri":"{{{resource["uri"]}}}"}""");
            await script.AskAsync("resources/unsubscribe", $$$"""{"uri":"{{{resource["uri"]}}}"}""");
        }
        await script.AskAsync("resources/read", """{"uri":"demo://resource/dynamic/blob/3"}""");
        await script.AskAsync("completion/complete",
            """{"ref":{"type":"ref/prompt","name":"completable-prompt"},"argument":{"name":"department","value":"E"}}""");
        await script.AskAsync("tools/call", """{"name":"no such tool"}""");
        await script.AskAsync("tools/call", """{"name":"get-sum","arguments":{"a":"x"}}""");
        await script.AskAsync("no/such/method");
        var task = await script.AskAsync("tools/call",
            """{"name":"simulate-research-query","arguments":{"topic":"python","ambiguous":true},"task":{"ttl":60000}}""");
        await script.AskAsync("tasks/result", $$$"""{"taskId":"{{{task["task"]!["taskId"]}}}"}""");
        return [.. script.Received.Select(Normalize)];
    }

    private static string Normalize(string message) =>
        Changing().Replace(Blob().Replace(message, blob => Encoding.UTF8.GetString(Convert.FromBase64String(blob.Groups[1].Value))), "#");

    // The server writes the time into it.
    [GeneratedRegex("""(?<="blob":")([^"]{0,200})(?=")""")]
    private static partial Regex Blob();

    // Times, ids of tasks and sessions, and process variables with the addresses of this run.
    [GeneratedRegex("""\d{4}-\d\d-\d\dT[\d:.]+Z|\d{1,2}:\d\d:\d\d( [AP]M)?|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,}|\b[0-9a-f]{32}\b""")]
    private static partial Regex Changing();

    /// <summary>Sends requests one after another, and answers those of the server.</summary>
    private sealed class Script(IMessageClient client)
    {
        private int _id;

        public List<string> Received { get; } = [];

        public Task<JsonNode> AskAsync(string method, string parameters = "{}") => method.StartsWith('{') ? SendAsync(method)
            : SendAsync($$$"""{"jsonrpc":"2.0","id":{{{++_id}}},"method":"{{{method}}}","params":{{{parameters}}}}""");

        private async Task<JsonNode> SendAsync(string request)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(TimeSpan.FromSeconds(60));
            await client.SendAsync(request);
            while (true)
            {
                var text = await client.ReceiveAsync(limit.Token);
                Received.Add(text);
                var message = JsonNode.Parse(text)!;
                if (message["method"] is null && (int?)message["id"] == _id)
                {
                    return message["result"] ?? message;
                }
                if (message["id"] is { } id && Answer((string?)message["method"]) is { } answer)
                {
                    await client.SendAsync($$$"""{"jsonrpc":"2.0","id":{{{id.ToJsonString()}}},"result":{{{answer}}}}""");
                }
            }
        }

        private static string? Answer(string? method) => method switch
        {
            "sampling/createMessage" => """{"role":"assistant","content":{"type":"text","text":"hello"},"model":"m"}""",
            "elicitation/create" => """{"action":"accept","content":{"interpretation":"technical"}}""",
            "ping" => "{}",
            _ => null,
        };
    }
}

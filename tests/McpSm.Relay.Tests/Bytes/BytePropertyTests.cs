using System.Text;
using CsCheck;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Relay.Tests.Bytes;

/// <summary>Messages pass as the bytes that they are, in both directions and for both generations of the protocol.</summary>
public sealed class BytePropertyTests
{
    private const string Meta = "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\"}";
    private const int Samples = 150;

    private string _answer = "";
    private string _before = "";
    private bool _asStream;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Random_messages_pass_unchanged_in_both_directions(bool isStateless)
    {
        var session = new SessionServer { Answer = (context, _) => AnswerAsync(context) };
        await using var server = await ScriptedServer.StartAsync(isStateless ? (context, _) => AnswerAsync(context) : session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        if (!isStateless)
        {
            await client.InitializeAsync();
        }
        var samples = Gen.SelectMany(JsonTexts.Id, id => Gen.Select(
            JsonTexts.Object(Exact("jsonrpc", "\"2.0\""), Exact("id", id), Exact("method", "\"x/道具\""), JsonTexts.Member("params", isStateless
                ? JsonTexts.Object(Gen.Const(Meta), JsonTexts.Member("a", JsonTexts.Value)) : JsonTexts.Object(JsonTexts.Member("a", JsonTexts.Value)))),
            JsonTexts.Object(Exact("jsonrpc", "\"2.0\""), Exact("id", id), JsonTexts.Member("result", JsonTexts.Value)),
            JsonTexts.Object(Exact("jsonrpc", "\"2.0\""), Exact("method", "\"n\""), JsonTexts.Member("params", JsonTexts.Value)),
            Gen.Bool));

        await samples.SampleAsync(async (request, answer, notification, asStream) =>
        {
            (_answer, _before, _asStream) = (answer, notification, asStream);
            server.Exchanges.Clear();

            await client.SendAsync(request);

            if (asStream)
            {
                Assert.Equal(notification, await client.ReadLineAsync());
            }
            Assert.Equal(answer, await client.ReadLineAsync());
            Assert.Contains(server.Exchanges, exchange => exchange.Bytes.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(request)));
        }, iter: Samples, threads: 1);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(5000)]
    public async Task Deep_messages_pass_unchanged(int levels)
    {
        var deep = string.Concat(Enumerable.Repeat("{\"a\":[", levels / 2)) + "1.0" + string.Concat(Enumerable.Repeat("]}", levels / 2));
        var session = new SessionServer { Answer = (context, _) => AnswerAsync(context) };
        await using var server = await ScriptedServer.StartAsync(async (context, body) =>
        {
            // The parser of the scripted server has limits of its own.
            await (body.Contains("\"x\"", StringComparison.Ordinal) ? AnswerAsync(context) : session.HandleAsync(context, body));
        });
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();
        _answer = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":" + deep + "}";
        var request = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":" + deep + "}";

        await client.SendAsync(request);

        Assert.Equal(_answer, await client.ReadLineAsync());
        Assert.Contains(server.Exchanges, exchange => exchange.Body == request);
    }

    [Theory]
    [InlineData("1.0", "1")]
    [InlineData("1e2", "100")]
    [InlineData("-0", "0")]
    [InlineData("\"\\u0061\"", "\"a\"")]
    public async Task Id_that_the_server_writes_in_another_way_is_the_same_id(string sent, string received)
    {
        var session = new SessionServer { Answer = (context, _) => AnswerAsync(context) };
        await using var server = await ScriptedServer.StartAsync(session.HandleAsync);
        await using var client = new RelayClient(server.Url);
        await client.InitializeAsync();
        (_answer, _before, _asStream) = ("{\"jsonrpc\":\"2.0\",\"id\":" + received + ",\"result\":{}}", "{\"jsonrpc\":\"2.0\",\"method\":\"n\"}", true);

        await client.SendAsync("{\"jsonrpc\":\"2.0\",\"id\":" + sent + ",\"method\":\"x\"}");

        Assert.Equal(_before, await client.ReadLineAsync());
        Assert.Equal(_answer, await client.ReadLineAsync());
        Assert.True(await client.IsSilentAsync(TimeSpan.FromMilliseconds(200)));
    }

    private static Gen<string> Exact(string name, string value) => JsonTexts.Member(name, Gen.Const(value));

    private Task AnswerAsync(HttpContext context) => _asStream
        ? SessionServer.EventAsync(context, $"data: {_before}\n\nevent: message\r\ndata: {_answer}\r\n\r\n")
        : SessionServer.JsonAsync(context, _answer);
}

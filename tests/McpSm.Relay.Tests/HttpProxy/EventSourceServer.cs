using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http;

namespace McpSm.Relay.Tests.HttpProxy;

/// <summary>A server of HTTP+SSE with many sessions, which a test lets send messages.</summary>
internal sealed class EventSourceServer
{
    private readonly ConcurrentDictionary<string, Channel<string>> _sessions = new();
    private int _count;

    /// <summary>What the server sends for a request, before its answer; by default nothing.</summary>
    public Func<JsonNode, IEnumerable<string>> Before { get; set; } = _ => [];

    /// <summary>Requests that the server never answers, by their method.</summary>
    public string? Unanswered { get; set; }

    /// <summary>The number of streams that are open.</summary>
    public int OpenStreams => _sessions.Count;

    public async Task HandleAsync(HttpContext context, string body)
    {
        if (HttpMethods.IsGet(context.Request.Method))
        {
            await StreamAsync(context);
            return;
        }
        if (context.Request.Path != "/messages" || !_sessions.TryGetValue(context.Request.Query["session"].ToString(), out var session))
        {
            context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return;
        }
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        var message = JsonNode.Parse(body)!;
        if (message["id"] is not { } id || message["method"] is not { } method)
        {
            return;
        }
        foreach (var text in Before(message))
        {
            await session.Writer.WriteAsync(text);
        }
        if ((string?)method == Unanswered)
        {
            return;
        }
        var result = (string?)method == "initialize" ? """{"protocolVersion":"2024-11-05","capabilities":{},"serverInfo":{"name":"old","version":"1"}}"""
            : $$"""{"method":{{method.ToJsonString()}}}""";
        await session.Writer.WriteAsync($$"""{"jsonrpc":"2.0","id":{{id.ToJsonString()}},"result":{{result}}}""");
    }

    /// <summary>Sends a message on the stream of every session.</summary>
    public async Task SendAsync(string message)
    {
        foreach (var session in _sessions.Values)
        {
            await session.Writer.WriteAsync(message);
        }
    }

    private async Task StreamAsync(HttpContext context)
    {
        var id = $"{Interlocked.Increment(ref _count)}";
        var events = _sessions[id] = Channel.CreateUnbounded<string>();
        try
        {
            await SessionServer.EventAsync(context, $"event: endpoint\ndata: /messages?session={id}\n\n");
            await foreach (var text in events.Reader.ReadAllAsync(context.RequestAborted))
            {
                await SessionServer.EventAsync(context, $"data: {text}\n\n");
            }
        }
        catch (OperationCanceledException)
        {
            // The client closed its stream.
        }
        finally
        {
            _sessions.TryRemove(id, out _);
        }
    }
}

using System.Buffers;
using System.Collections.Concurrent;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Relay.Messages;

namespace McpSm.Relay.Tools;

/// <summary>
/// Leaves tools out: they are cut from answers to <c>tools/list</c>, and a <c>tools/call</c> of one is answered like that of an unknown tool.
/// </summary>
public sealed class ToolFilter
{
    /// <summary>JSON-RPC 2.0: invalid params. MCP asks for this code if a tool is unknown.</summary>
    private const int InvalidParams = -32602;

    private readonly IReadOnlyList<IReadOnlyList<string>> _allow;
    private readonly IReadOnlyList<string> _ignore;
    private readonly ConcurrentDictionary<string, bool> _lists = new(StringComparer.Ordinal);

    private ToolFilter(IReadOnlyList<IReadOnlyList<string>> allow, IReadOnlyList<string> ignore) => (_allow, _ignore) = (allow, ignore);

    /// <summary>Returns a filter; null if all tools pass.</summary>
    /// <param name="allow">Lists of patterns. A tool must match each list that is not empty.</param>
    /// <param name="ignore">The patterns of tools to leave out.</param>
    public static ToolFilter? Create(IEnumerable<IReadOnlyList<string>> allow, IReadOnlyList<string> ignore) =>
        allow.Where(patterns => patterns.Count > 0).ToList() is var lists && lists.Count + ignore.Count == 0 ? null : new ToolFilter(lists, ignore);

    /// <summary>Whether the client may see and call the tool.</summary>
    public bool Includes(string tool) => _allow.All(patterns => ToolPattern.IsMatch(patterns, tool)) && !ToolPattern.IsMatch(_ignore, tool);

    /// <summary>Notes a message of the client whose answer has to be filtered.</summary>
    internal void Note(Message message)
    {
        foreach (var request in message.Kind == MessageKind.Batch ? message.Members : [message])
        {
            if (request is { Kind: MessageKind.Request, Method: "tools/list" })
            {
                _lists[request.IdKey] = true;
            }
        }
    }

    /// <summary>Whether a message of the client calls a tool that is left out.</summary>
    internal bool Refuses(Message message) => message is { Method: "tools/call", Name: { } tool } && !Includes(tool);

    /// <summary>The answer to a call that is refused.</summary>
    internal static RelayFailure Refusal(Message call, string server) =>
        new(InvalidParams, nameof(ErrorReason.InvalidValue), $"Unknown tool: {UntrustedText.Sanitize(call.Name)}. The settings of '{server}' exclude it.");

    /// <summary>Returns what is left of a batch without the calls that are refused; null if nothing is left.</summary>
    internal Message? Without(Message batch)
    {
        var rest = batch.Members.Where(member => !Refuses(member)).ToList();
        if (rest.Count == 0)
        {
            return null;
        }
        var bytes = new ArrayBufferWriter<byte>(batch.Bytes.Length);
        bytes.Write("["u8);
        foreach (var member in rest)
        {
            if (bytes.WrittenCount > 1)
            {
                bytes.Write(","u8);
            }
            bytes.Write(member.Bytes.Span);
        }
        bytes.Write("]"u8);
        return Message.Parse(bytes.WrittenMemory);
    }

    /// <summary>Cuts the tools that are left out from a message for the client.</summary>
    /// <returns>The same bytes if nothing is cut.</returns>
    internal ReadOnlyMemory<byte> Filter(ReadOnlyMemory<byte> json)
    {
        if (_lists.IsEmpty)
        {
            return json;
        }
        var message = Message.Parse(json);
        if (message.Kind == MessageKind.Response)
        {
            return FilterAnswer(message);
        }
        if (message.Kind != MessageKind.Batch)
        {
            return json;
        }
        var bytes = new ArrayBufferWriter<byte>(json.Length);
        var copied = 0;
        foreach (var member in message.Members)
        {
            if (member.Kind == MessageKind.Response && FilterAnswer(member) is var filtered && !filtered.Equals(member.Bytes)
                && json.Span.Overlaps(member.Bytes.Span, out var start))
            {
                bytes.Write(json.Span[copied..start]);
                bytes.Write(filtered.Span);
                copied = start + member.Bytes.Length;
            }
        }
        bytes.Write(json.Span[copied..]);
        return bytes.WrittenMemory;
    }

    private ReadOnlyMemory<byte> FilterAnswer(Message answer) => !_lists.TryRemove(answer.IdKey, out _) ? answer.Bytes
        : ToolList.Filter(answer.Bytes, tool => ToolList.NameOf(tool) is not { } name || Includes(name));
}

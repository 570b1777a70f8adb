using System.Buffers;
using System.Text.Json;
using McpSm.Relay.Messages;

namespace McpSm.Relay.Tools;

/// <summary>The answer to <c>tools/list</c> as bytes, of which elements can be cut.</summary>
internal static class ToolList
{
    // Skipping a value needs a bit for each level, not a stack frame.
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 100_000 };

    /// <summary>Cuts tools from <c>result.tools</c>, and keeps every other byte.</summary>
    /// <param name="json">A response.</param>
    /// <param name="keep">Whether to keep a tool, whose JSON it gets.</param>
    /// <returns>The same bytes if all tools are kept, or if the message does not list tools.</returns>
    public static ReadOnlyMemory<byte> Filter(ReadOnlyMemory<byte> json, Func<ReadOnlyMemory<byte>, bool> keep)
    {
        var reader = new Utf8JsonReader(json.Span, Options);
        var result = new ArrayBufferWriter<byte>(json.Length);
        var copied = 0;
        reader.Read();
        // A name that occurs twice is valid JSON, and parsers differ in which value they take: filter all of them.
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!EnterMember(ref reader, "result"u8, JsonTokenType.StartObject))
            {
                continue;
            }
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (EnterMember(ref reader, "tools"u8, JsonTokenType.StartArray))
                {
                    copied = FilterArray(ref reader, json, keep, result, copied);
                }
            }
        }
        if (copied == 0)
        {
            return json;
        }
        result.Write(json.Span[copied..]);
        return result.WrittenMemory;
    }

    /// <summary>Returns the name of a tool; null if it has none that is a text.</summary>
    /// <param name="tool">The JSON of the tool.</param>
    public static string? NameOf(ReadOnlyMemory<byte> tool)
    {
        var reader = new Utf8JsonReader(tool.Span, Options);
        string? name = null;
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isName = reader.Is("name"u8);
            reader.Read();
            if (isName && reader.TokenType == JsonTokenType.String)
            {
                name = reader.GetString();
            }
            reader.Skip();
        }
        return name;
    }

    /// <summary>Moves to the value of a member. Skips the value if the member has another name or kind.</summary>
    private static bool EnterMember(ref Utf8JsonReader reader, ReadOnlySpan<byte> name, JsonTokenType kind)
    {
        var isMember = reader.Is(name);
        reader.Read();
        if (isMember && reader.TokenType == kind)
        {
            return true;
        }
        reader.Skip();
        return false;
    }

    /// <returns>The position up to which the bytes are copied or cut; the same as before if all tools are kept.</returns>
    private static int FilterArray(ref Utf8JsonReader reader, ReadOnlyMemory<byte> json, Func<ReadOnlyMemory<byte>, bool> keep, ArrayBufferWriter<byte> result,
        int copied)
    {
        var isFirst = true;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            var end = (int)reader.BytesConsumed;
            if (keep(json[start..end]))
            {
                isFirst = false;
                continue;
            }
            // With the comma before it, or after it if it is the first.
            var from = isFirst ? start : json.Span[..start].LastIndexOf((byte)',');
            result.Write(json.Span[copied..from]);
            copied = isFirst ? AfterComma(json.Span, end) : end;
        }
        return copied;
    }

    private static int AfterComma(ReadOnlySpan<byte> json, int end)
    {
        while (end < json.Length && json[end] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
        {
            end++;
        }
        return end < json.Length && json[end] == ',' ? end + 1 : end;
    }
}

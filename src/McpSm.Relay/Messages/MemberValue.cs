using System.Buffers;
using System.Text;
using System.Text.Json;

namespace McpSm.Relay.Messages;

/// <summary>Replaces one value in a JSON object. All other bytes stay as they are.</summary>
internal static class MemberValue
{
    /// <param name="json">The JSON of the message.</param>
    /// <param name="path">The names of the members that lead to the value.</param>
    /// <param name="value">The JSON of the new value.</param>
    /// <returns>The same bytes if the object has no such member.</returns>
    public static ReadOnlyMemory<byte> Set(ReadOnlyMemory<byte> json, IReadOnlyList<string> path, ReadOnlyMemory<byte> value)
    {
        var reader = new Utf8JsonReader(json.Span, new JsonReaderOptions { MaxDepth = 100_000 });
        reader.Read();
        var depth = 0;
        while (reader.TokenType == JsonTokenType.StartObject)
        {
            var found = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                found = reader.Is(Encoding.UTF8.GetBytes(path[depth]));
                reader.Read();
                if (found)
                {
                    break;
                }
                reader.Skip();
            }
            if (!found)
            {
                return json;
            }
            if (++depth == path.Count)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                var end = (int)reader.BytesConsumed;
                var buffer = new ArrayBufferWriter<byte>(json.Length - (end - start) + value.Length);
                buffer.Write(json.Span[..start]);
                buffer.Write(value.Span);
                buffer.Write(json.Span[end..]);
                return buffer.WrittenMemory;
            }
        }
        return json;
    }
}

using System.Buffers;
using System.Text.Json;

namespace McpSm.Relay.Messages;

/// <summary>Gives a response the id of the request that it answers.</summary>
internal static class ResponseId
{
    /// <param name="response">A response, or a JSON-RPC error without an id.</param>
    /// <param name="id">The JSON of the id.</param>
    /// <returns>The same bytes if the id is the same already.</returns>
    public static ReadOnlyMemory<byte> Set(Message response, ReadOnlyMemory<byte> id)
    {
        if (response.IdKey == Message.KeyOf(id))
        {
            return response.Bytes;
        }
        // All other members stay as they are, byte for byte.
        var buffer = new ArrayBufferWriter<byte>(response.Bytes.Length + id.Length + 8);
        buffer.Write("{\"id\":"u8);
        buffer.Write(id.Span);
        var reader = new Utf8JsonReader(response.Bytes.Span, new JsonReaderOptions { MaxDepth = 100_000 });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isId = reader.Is("id"u8);
            var start = (int)reader.TokenStartIndex;
            reader.Read();
            reader.Skip();
            if (!isId)
            {
                buffer.Write(","u8);
                buffer.Write(response.Bytes.Span[start..(int)reader.BytesConsumed]);
            }
        }
        buffer.Write("}"u8);
        return buffer.WrittenMemory;
    }
}

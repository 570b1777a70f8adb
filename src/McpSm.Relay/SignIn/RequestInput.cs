using System.Buffers;
using System.Text.Json;
using McpSm.Core.Files;
using McpSm.Relay.Messages;

namespace McpSm.Relay.SignIn;

/// <summary>The members that a client adds to the parameters of a request when it repeats it with input (MCP 2026-07-28).</summary>
internal static class RequestInput
{
    /// <summary>Reads <c>requestState</c>; null if the request has none.</summary>
    public static string? ReadState(Message request)
    {
        try
        {
            using var json = JsonDocument.Parse(request.Bytes, new JsonDocumentOptions { MaxDepth = 1000 });
            return json.RootElement.TryGetProperty("params", out var parameters) && parameters.ValueKind == JsonValueKind.Object
                && parameters.TryGetProperty("requestState", out var state) && state.ValueKind == JsonValueKind.String ? state.TextOrNull() ?? "" : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Too deep, or a name with half a surrogate pair: not a state of the relay.
            return "";
        }
    }

    /// <summary>Removes them. All other members stay as they are, byte for byte.</summary>
    public static Message Remove(Message request)
    {
        var bytes = request.Bytes;
        var buffer = new ArrayBufferWriter<byte>(bytes.Length);
        var reader = new Utf8JsonReader(bytes.Span, new JsonReaderOptions { MaxDepth = 100_000 });
        reader.Read();
        buffer.Write("{"u8);
        var isFirst = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isParameters = reader.ValueTextEquals("params"u8);
            var start = (int)reader.TokenStartIndex;
            reader.Read();
            buffer.Write(isFirst ? ""u8 : ","u8);
            isFirst = false;
            if (isParameters && reader.TokenType == JsonTokenType.StartObject)
            {
                buffer.Write("\"params\":"u8);
                WriteParameters(bytes.Span, ref reader, buffer);
            }
            else
            {
                reader.Skip();
                buffer.Write(bytes.Span[start..(int)reader.BytesConsumed]);
            }
        }
        buffer.Write("}"u8);
        return Message.Parse(buffer.WrittenMemory);
    }

    private static void WriteParameters(ReadOnlySpan<byte> bytes, ref Utf8JsonReader reader, ArrayBufferWriter<byte> buffer)
    {
        buffer.Write("{"u8);
        var isFirst = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isInput = reader.ValueTextEquals("inputResponses"u8) || reader.ValueTextEquals("requestState"u8);
            var start = (int)reader.TokenStartIndex;
            reader.Read();
            reader.Skip();
            if (!isInput)
            {
                buffer.Write(isFirst ? ""u8 : ","u8);
                isFirst = false;
                buffer.Write(bytes[start..(int)reader.BytesConsumed]);
            }
        }
        buffer.Write("}"u8);
    }
}

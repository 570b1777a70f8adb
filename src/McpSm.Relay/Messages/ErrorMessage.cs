using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace McpSm.Relay.Messages;

/// <summary>
/// JSON-RPC errors of the relay itself. Their codes are positive, outside the range that JSON-RPC 2.0 section 5.1 reserves, and equal the HTTP
/// status if there is one.
/// </summary>
internal static class ErrorMessage
{
    // The text is for a client, not for a web page: quotes stay readable.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="id">The JSON of the id of the request.</param>
    /// <param name="failure">The failure.</param>
    public static ReadOnlyMemory<byte> Create(ReadOnlyMemory<byte> id, RelayFailure failure)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer, Readable))
        {
            Write(writer, id, failure);
        }
        return buffer.WrittenMemory;
    }

    /// <summary>One array with an error for each request of a batch.</summary>
    public static ReadOnlyMemory<byte> CreateBatch(IEnumerable<Message> requests, RelayFailure failure) => CreateBatch(requests, _ => failure);

    /// <summary>One array with an error for each request of a batch.</summary>
    public static ReadOnlyMemory<byte> CreateBatch(IEnumerable<Message> requests, Func<Message, RelayFailure> explain)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, Readable))
        {
            writer.WriteStartArray();
            foreach (var request in requests)
            {
                Write(writer, request.Id, explain(request));
            }
            writer.WriteEndArray();
        }
        return buffer.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter writer, ReadOnlyMemory<byte> id, RelayFailure failure)
    {
        writer.WriteStartObject();
        writer.WriteString("jsonrpc"u8, "2.0"u8);
        writer.WritePropertyName("id"u8);
        writer.WriteRawValue(id.Span);
        writer.WriteStartObject("error"u8);
        writer.WriteNumber("code"u8, failure.Code);
        writer.WriteString("message"u8, "mcpsm: " + failure.Text);
        writer.WriteStartObject("data"u8);
        writer.WriteString("source"u8, "mcpsm"u8);
        writer.WriteString("reason"u8, failure.Reason);
        if (failure.Command is not null)
        {
            writer.WriteString("command"u8, failure.Command);
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}

using System.Buffers;
using System.Text.Json;

namespace McpSm.Relay.Messages;

/// <summary>Notifications that the relay itself sends to the client.</summary>
internal static class RelayNotification
{
    /// <param name="id">The JSON of the id of the request that is cancelled.</param>
    /// <param name="reason">The reason, for people.</param>
    public static ReadOnlyMemory<byte> Cancelled(ReadOnlyMemory<byte> id, string reason) => Create("notifications/cancelled", writer =>
    {
        writer.WriteStartObject("params"u8);
        writer.WritePropertyName("requestId"u8);
        writer.WriteRawValue(id.Span);
        writer.WriteString("reason"u8, reason);
        writer.WriteEndObject();
    });

    /// <param name="list"><c>tools</c>, <c>prompts</c> or <c>resources</c>.</param>
    public static ReadOnlyMemory<byte> ListChanged(string list) => Create($"notifications/{list}/list_changed", _ => { });

    /// <param name="method">The method.</param>
    /// <param name="write">Writes the parameters.</param>
    public static ReadOnlyMemory<byte> Create(string method, Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("jsonrpc"u8, "2.0"u8);
            writer.WriteString("method"u8, method);
            write(writer);
            writer.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }
}

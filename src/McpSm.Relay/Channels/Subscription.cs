using System.Text;
using System.Text.Json;
using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>
/// A <c>subscriptions/listen</c> request of the client (MCP 2026-07-28, Subscriptions). If its stream breaks, it is opened again under another
/// id, and the client still sees one subscription.
/// </summary>
internal sealed class Subscription(Message listen)
{
    private const string Key = "io.modelcontextprotocol/subscriptionId";

    private bool _isAcknowledged;
    private bool _isReopened;

    /// <summary>Tells that the next messages come on another stream.</summary>
    public void Reopen() => _isReopened = _isAcknowledged;

    /// <summary>Gives the messages for the client in place of a notification of the server.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> ToClient(Message notification)
    {
        if (notification.Method != "notifications/subscriptions/acknowledged")
        {
            return [SetId(notification)];
        }
        if (_isReopened)
        {
            // Changes while the stream was broken are unknown, so everything may have changed.
            _isReopened = false;
            return ReadChanges(notification);
        }
        _isAcknowledged = true;
        return [SetId(notification)];
    }

    /// <summary>Sets the id of the subscription in a notification or in the result to the id that the client knows.</summary>
    public ReadOnlyMemory<byte> SetId(Message message) => message.Method == "notifications/cancelled"
        ? MemberValue.Set(message.Bytes, ["params", "requestId"], listen.Id)
        : MemberValue.Set(message.Bytes, [message.Kind == MessageKind.Response ? "result" : "params", "_meta", Key], listen.Id);

    /// <summary>Reads what the server agreed to, as notifications that it changed.</summary>
    private List<ReadOnlyMemory<byte>> ReadChanges(Message acknowledgment)
    {
        using var json = JsonDocument.Parse(acknowledgment.Bytes, new JsonDocumentOptions { MaxDepth = 1000 });
        var changes = new List<ReadOnlyMemory<byte>>();
        if (!json.RootElement.TryGetProperty("params"u8, out var parameters) || parameters.ValueKind != JsonValueKind.Object
            || !parameters.TryGetProperty("notifications"u8, out var agreed) || agreed.ValueKind != JsonValueKind.Object)
        {
            return changes;
        }
        foreach (var list in ServerPromise.Lists)
        {
            if (agreed.TryGetProperty(list + "ListChanged", out var wanted) && wanted.ValueKind == JsonValueKind.True)
            {
                changes.Add(RelayNotification.Create($"notifications/{list}/list_changed", Write));
            }
        }
        if (agreed.TryGetProperty("resourceSubscriptions"u8, out var uris) && uris.ValueKind == JsonValueKind.Array)
        {
            changes.AddRange(uris.EnumerateArray().Where(uri => uri.ValueKind == JsonValueKind.String).Select(uri =>
                RelayNotification.Create("notifications/resources/updated", writer => Write(writer, uri))));
        }
        return changes;
    }

    private void Write(Utf8JsonWriter writer) => Write(writer, default);

    private void Write(Utf8JsonWriter writer, JsonElement uri)
    {
        writer.WriteStartObject("params"u8);
        writer.WriteStartObject("_meta"u8);
        writer.WritePropertyName(Encoding.UTF8.GetBytes(Key));
        writer.WriteRawValue(listen.Id.Span);
        writer.WriteEndObject();
        if (uri.ValueKind == JsonValueKind.String)
        {
            writer.WritePropertyName("uri"u8);
            uri.WriteTo(writer);
        }
        writer.WriteEndObject();
    }
}

using System.Buffers;
using System.Text.Json;
using McpSm.Relay.Messages;

namespace McpSm.Relay.SignIn;

/// <summary>Answers that the relay gives in place of the server.</summary>
internal static class RelayAnswer
{
    /// <summary>An empty result.</summary>
    /// <param name="id">The JSON of the id of the request.</param>
    public static ReadOnlyMemory<byte> Empty(ReadOnlyMemory<byte> id) => Create(id, null);

    /// <summary>The list that a request reads: <c>tools</c>, <c>prompts</c> or <c>resources</c>; null for another request.</summary>
    public static string? ListOf(Message request) => request.Method switch
    {
        "tools/list" => "tools",
        "prompts/list" => "prompts",
        "resources/list" or "resources/templates/list" => "resources",
        _ => null,
    };

    /// <summary>An empty list, if the request reads a list that the server does not have; null for any other request.</summary>
    public static ReadOnlyMemory<byte>? EmptyList(Message request, IReadOnlySet<string> absent) =>
        request.Kind == MessageKind.Request && ListOf(request) is { } list && absent.Contains(list)
            ? Create(request.Id, request.Method == "resources/templates/list" ? "resourceTemplates" : list)
            // A bare null would become empty memory.
            : (ReadOnlyMemory<byte>?)null;

    private static ReadOnlyMemory<byte> Create(ReadOnlyMemory<byte> id, string? list)
    {
        var buffer = new ArrayBufferWriter<byte>(128);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("jsonrpc"u8, "2.0"u8);
            writer.WritePropertyName("id"u8);
            writer.WriteRawValue(id.Span);
            writer.WriteStartObject("result"u8);
            if (list is not null)
            {
                writer.WriteStartArray(list);
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }
}

using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using McpSm.Relay.Messages;

namespace McpSm.Relay.SignIn;

/// <summary>The question to a client whether its user wants to sign in (MCP 2025-06-18 and later, Elicitation).</summary>
internal static class Elicitation
{
    private const string UrlModeSince = "2025-11-25";
    private const string FormModeSince = "2025-06-18";
    private const string CapabilitiesKey = "io.modelcontextprotocol/clientCapabilities";

    // The text is for a client, not for a web page: URLs stay readable.
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 1000 };

    /// <summary>Reads how a client can ask from its <c>initialize</c>, or from the metadata of a request of 2026-07-28.</summary>
    /// <param name="request">The request.</param>
    /// <param name="version">The revision of MCP that the client was told.</param>
    public static ElicitationMode ModeOf(Message request, string version) => string.CompareOrdinal(version, FormModeSince) < 0 ? ElicitationMode.None
        : Read(request, root => ModeOf(root, request.IsStateless, version), ElicitationMode.None);

    private static ElicitationMode ModeOf(JsonElement root, bool isStateless, string version)
    {
        if (!TryGet(root, "params", out var parameters) || !TryGet(parameters, isStateless ? "_meta" : "capabilities", out var capabilities)
            || (isStateless && !TryGet(capabilities, CapabilitiesKey, out capabilities)) || !TryGet(capabilities, "elicitation", out var elicitation))
        {
            return ElicitationMode.None;
        }
        if (TryGet(elicitation, "url", out _) && string.CompareOrdinal(version, UrlModeSince) >= 0)
        {
            return ElicitationMode.Url;
        }
        // An empty object means forms.
        return TryGet(elicitation, "form", out _) || !elicitation.EnumerateObject().Any() ? ElicitationMode.Form : ElicitationMode.None;
    }

    /// <summary>Creates the request to the client.</summary>
    /// <param name="id">The text of the id; also the id of the elicitation.</param>
    /// <param name="server">The name of the server.</param>
    /// <param name="url">The URL to open; null for a form without fields.</param>
    public static ReadOnlyMemory<byte> Create(string id, string server, Uri? url) => Json(writer =>
    {
        writer.WriteString("jsonrpc"u8, "2.0"u8);
        writer.WriteString("id"u8, id);
        Write(writer, id, server, url);
    });

    /// <summary>Creates the answer to a request of 2026-07-28 that asks for input before it can be answered.</summary>
    /// <param name="requestId">The JSON of the id of the request.</param>
    /// <param name="state">What the client gives back with its answer; also the key of the question.</param>
    /// <param name="server">The name of the server.</param>
    /// <param name="url">The URL at which to sign in; null without one.</param>
    public static ReadOnlyMemory<byte> CreateInputRequired(ReadOnlyMemory<byte> requestId, string state, string server, Uri? url) => Json(writer =>
    {
        writer.WriteString("jsonrpc"u8, "2.0"u8);
        writer.WritePropertyName("id"u8);
        writer.WriteRawValue(requestId.Span);
        writer.WriteStartObject("result"u8);
        writer.WriteString("resultType"u8, "input_required"u8);
        writer.WriteStartObject("inputRequests"u8);
        writer.WriteStartObject(state);
        Write(writer, null, server, url);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteString("requestState"u8, state);
        writer.WriteEndObject();
    });

    /// <summary>Creates the notification that what a URL asked for is done.</summary>
    public static ReadOnlyMemory<byte> CreateComplete(string id) => Json(writer =>
    {
        writer.WriteString("jsonrpc"u8, "2.0"u8);
        writer.WriteString("method"u8, "notifications/elicitation/complete"u8);
        writer.WriteStartObject("params"u8);
        writer.WriteString("elicitationId"u8, id);
        writer.WriteEndObject();
    });

    /// <summary>Whether a response of the client says that the user agreed.</summary>
    public static bool IsAccepted(Message response) => Read(response, root => TryGet(root, "result", out var result) && IsAccept(result), false);

    /// <summary>Whether the user agreed, as the input of a repeated request of 2026-07-28 says.</summary>
    public static bool IsAccepted(Message request, string state) => Read(request, root => TryGet(root, "params", out var parameters)
        && TryGet(parameters, "inputResponses", out var responses) && TryGet(responses, state, out var result) && IsAccept(result), false);

    /// <summary>Reads a message of the client. A message that cannot be read says nothing.</summary>
    private static T Read<T>(Message message, Func<JsonElement, T> read, T absent)
    {
        try
        {
            using var json = JsonDocument.Parse(message.Bytes, Deep);
            return read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Too deep, or a name with half a surrogate pair.
            return absent;
        }
    }

    private static void Write(Utf8JsonWriter writer, string? id, string server, Uri? url)
    {
        writer.WriteString("method"u8, "elicitation/create"u8);
        writer.WriteStartObject("params"u8);
        if (url is not null)
        {
            writer.WriteString("mode"u8, "url"u8);
            if (id is not null)
            {
                writer.WriteString("elicitationId"u8, id);
            }
            writer.WriteString("url"u8, url.AbsoluteUri);
            writer.WriteString("message"u8, $"Sign in to '{server}' in your browser. Mcpsm keeps the credential in your vault.");
        }
        else
        {
            writer.WriteString("message"u8, $"Sign in to '{server}'? Your browser opens. Mcpsm keeps the credential in your vault.");
            writer.WriteStartObject("requestedSchema"u8);
            writer.WriteString("type"u8, "object"u8);
            writer.WriteStartObject("properties"u8);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static ReadOnlyMemory<byte> Json(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer, Readable))
        {
            writer.WriteStartObject();
            write(writer);
            writer.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }

    private static bool IsAccept(JsonElement result) => result.TryGetProperty("action", out var action)
        && action.ValueKind == JsonValueKind.String && action.ValueEquals("accept");

    private static bool TryGet(JsonElement from, string name, out JsonElement member) =>
        from.TryGetProperty(name, out member) && member.ValueKind == JsonValueKind.Object;
}

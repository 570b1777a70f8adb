using System.Buffers;
using System.Text.Json;
using McpSm.Core.Files;
using McpSm.Relay.Messages;

namespace McpSm.Relay.SignIn;

/// <summary>What a server said of itself when a session began. The relay repeats it while a person still has to sign in.</summary>
/// <param name="Version">The revision of MCP; null if it is not known.</param>
/// <param name="Capabilities">A JSON object.</param>
/// <param name="ServerInfo">A JSON object with a name and a version; null if it is not known.</param>
internal sealed record RememberedServer(string? Version, string Capabilities, string? ServerInfo)
{
    private const string Usual = """{"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"listChanged":true}}""";
    private const int MaxInfoText = 200;

    // The revisions in which a client begins with initialize, oldest first.
    private static readonly string[] Versions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

    /// <summary>What most servers offer.</summary>
    public static RememberedServer Unknown { get; } = new(null, Usual, null);

    /// <summary>Reads the answer to <c>initialize</c>.</summary>
    /// <returns>Null if it has no result that can be remembered.</returns>
    public static RememberedServer? FromAnswer(Message answer)
    {
        using var json = JsonDocument.Parse(answer.Bytes, new JsonDocumentOptions { MaxDepth = 1000 });
        return json.RootElement.TryGetProperty("result", out var result) ? From(result) : null;
    }

    /// <summary>Reads an object with the members of <c>InitializeResult</c>, which may be of any content.</summary>
    /// <returns>Null if a member is missing or of another kind.</returns>
    public static RememberedServer? From(JsonElement result)
    {
        if (result.ValueKind != JsonValueKind.Object || Text(result, "protocolVersion") is not { } version || !Versions.Contains(version)
            || !result.TryGetProperty("capabilities", out var capabilities) || capabilities.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        return new(version, capabilities.GetRawText(), result.TryGetProperty("serverInfo", out var info) ? ReadInfo(info) : null);
    }

    /// <summary>Creates the answer to <c>initialize</c> that the relay gives in place of the server.</summary>
    /// <param name="initialize">The <c>initialize</c> request of the client.</param>
    /// <param name="name">The name of the server, if it did not tell one.</param>
    public ReadOnlyMemory<byte> Answer(Message initialize, string name)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("jsonrpc"u8, "2.0"u8);
            writer.WritePropertyName("id"u8);
            writer.WriteRawValue(initialize.Id.Span);
            writer.WriteStartObject("result"u8);
            writer.WriteString("protocolVersion"u8, Choose(initialize.ProtocolVersion));
            writer.WritePropertyName("capabilities"u8);
            writer.WriteRawValue(Capabilities);
            writer.WritePropertyName("serverInfo"u8);
            if (ServerInfo is not null)
            {
                writer.WriteRawValue(ServerInfo);
            }
            else
            {
                writer.WriteStartObject();
                writer.WriteString("name"u8, name);
                writer.WriteString("version"u8, "0"u8);
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }

    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteString("protocolVersion"u8, Version);
        writer.WritePropertyName("capabilities"u8);
        writer.WriteRawValue(Capabilities);
        if (ServerInfo is not null)
        {
            writer.WritePropertyName("serverInfo"u8);
            writer.WriteRawValue(ServerInfo);
        }
    }

    /// <summary>The revision of the client if we know it, else the newest; no later than that of the last session.</summary>
    private string Choose(string? asked)
    {
        var own = asked is not null && Versions.Contains(asked) ? asked : Versions[^1];
        return Version is not null && string.CompareOrdinal(Version, own) < 0 ? Version : own;
    }

    /// <summary>Keeps the texts of a name, so that icons and the like do not fill the file.</summary>
    private static string? ReadInfo(JsonElement info)
    {
        if (info.ValueKind != JsonValueKind.Object || Text(info, "name") is not { } name || Text(info, "version") is not { } version)
        {
            return null;
        }
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, name);
            if (Text(info, "title") is { } title)
            {
                writer.WriteString("title"u8, title);
            }
            writer.WriteString("version"u8, version);
            writer.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static string? Text(JsonElement from, string name) =>
        from.TryGetProperty(name, out var value) && value.TextOrNull() is { Length: <= MaxInfoText } text ? text : null;
}

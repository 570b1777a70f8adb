using System.Text.Json;
using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>What the server told the client in its answer to <c>initialize</c>. A new session must promise the same.</summary>
/// <param name="Version">The version of the protocol; null if the answer has none.</param>
/// <param name="Capabilities">The JSON of the capabilities.</param>
/// <param name="ChangingLists">The lists whose changes the server announces: <c>tools</c>, <c>prompts</c>, <c>resources</c>.</param>
internal sealed record ServerPromise(string? Version, string Capabilities, IReadOnlyList<string> ChangingLists)
{
    /// <summary>The lists whose changes a server can announce.</summary>
    public static IReadOnlyList<string> Lists { get; } = ["tools", "prompts", "resources"];

    /// <summary>The lists that the server has.</summary>
    public IReadOnlyList<string> OfferedLists
    {
        get
        {
            using var json = JsonDocument.Parse(Capabilities, new JsonDocumentOptions { MaxDepth = 1000 });
            return [.. Lists.Where(list => json.RootElement.TryGetProperty(list, out var one) && one.ValueKind == JsonValueKind.Object)];
        }
    }

    /// <returns>Null for an error.</returns>
    public static ServerPromise? Read(Message answer)
    {
        if (answer.IsError || answer.Kind != MessageKind.Response)
        {
            return null;
        }
        using var json = JsonDocument.Parse(answer.Bytes, new JsonDocumentOptions { MaxDepth = 1000 });
        if (!json.RootElement.TryGetProperty("result"u8, out var result) || result.ValueKind != JsonValueKind.Object)
        {
            return null;
        }
        if (!result.TryGetProperty("capabilities"u8, out var capabilities) || capabilities.ValueKind != JsonValueKind.Object)
        {
            return new(answer.ProtocolVersion, "{}", []);
        }
        return new(answer.ProtocolVersion, capabilities.GetRawText(), [.. Lists.Where(list =>
            capabilities.TryGetProperty(list, out var one) && one.ValueKind == JsonValueKind.Object
            && one.TryGetProperty("listChanged"u8, out var changes) && changes.ValueKind == JsonValueKind.True)]);
    }

    public bool IsSameAs(ServerPromise other) => Version == other.Version && Capabilities == other.Capabilities;
}

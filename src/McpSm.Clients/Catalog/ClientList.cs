using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace McpSm.Clients.Catalog;

/// <summary>The root of <c>clients.json</c>.</summary>
internal sealed record ClientList
{
    /// <summary>The forms of an entry by name. A text that begins with <c>$</c> is a part of the entry (see <c>EntryForm</c>).</summary>
    [JsonPropertyName("forms")]
    public required IReadOnlyDictionary<string, JsonObject> Forms { get; init; }

    [JsonPropertyName("clients")]
    public required IReadOnlyList<ClientDefinition> Clients { get; init; }
}

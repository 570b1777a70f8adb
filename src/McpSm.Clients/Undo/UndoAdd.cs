using System.Text.Json.Serialization;

namespace McpSm.Clients.Undo;

/// <summary>An entry that Mcpsm added.</summary>
internal sealed record UndoAdd
{
    /// <summary>The path of the container, from the root.</summary>
    [JsonPropertyName("container")]
    public required IReadOnlyList<string> Container { get; init; }

    /// <summary>Whether the container is a list, and not a map.</summary>
    [JsonPropertyName("isList")]
    public bool IsList { get; init; }

    [JsonPropertyName("name")]
    public required string Name { get; init; }

    /// <summary>The inserted texts, in the order of the text.</summary>
    [JsonPropertyName("insertions")]
    public required IReadOnlyList<UndoInsertion> Insertions { get; init; }
}

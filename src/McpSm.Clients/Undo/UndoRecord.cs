using System.Text.Json.Serialization;

namespace McpSm.Clients.Undo;

/// <summary>What Mcpsm added to one configuration file. Stored in the configuration folder of Mcpsm.</summary>
internal sealed record UndoRecord
{
    [JsonPropertyName("version")]
    public int Version { get; init; } = 1;

    /// <summary>The path of the file, for people who read the record.</summary>
    [JsonPropertyName("path")]
    public required string Path { get; init; }

    /// <summary>The state of the file. During an edit, and after one that did not end, the states before and after it.</summary>
    [JsonPropertyName("states")]
    public required IReadOnlyList<UndoState> States { get; init; }
}

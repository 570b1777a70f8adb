using System.Text.Json.Serialization;

namespace McpSm.Clients.Undo;

/// <summary>What Mcpsm has added to a file with a certain content.</summary>
internal sealed record UndoState
{
    public static UndoState Empty { get; } = new() { Hash = "" };

    /// <summary>The SHA-256 of the content in hexadecimal; empty if the file does not exist.</summary>
    [JsonPropertyName("sha256")]
    public required string Hash { get; init; }

    /// <summary>Whether Mcpsm created the file.</summary>
    [JsonPropertyName("createdFile")]
    public bool CreatedFile { get; init; }

    /// <summary>The folders that Mcpsm created for the file, the outermost first.</summary>
    [JsonPropertyName("createdFolders")]
    public IReadOnlyList<string> CreatedFolders { get; init; } = [];

    /// <summary>The paths of maps and lists that Mcpsm created, the outermost first.</summary>
    [JsonPropertyName("createdContainers")]
    public IReadOnlyList<IReadOnlyList<string>> CreatedContainers { get; init; } = [];

    /// <summary>The entries that were added without a change by another program in between, in this order.</summary>
    [JsonPropertyName("adds")]
    public IReadOnlyList<UndoAdd> Adds { get; init; } = [];

    /// <summary>Whether there is nothing to undo.</summary>
    [JsonIgnore]
    public bool IsEmpty => !CreatedFile && CreatedContainers.Count == 0 && Adds.Count == 0;

    /// <summary>
    /// Returns what is true of both states, for a file that another program has changed. Positions are not known then, and it is not known whether an
    /// edit that was begun has been finished.
    /// </summary>
    public UndoState Common(UndoState other) => this with
    {
        Adds = [],
        CreatedFile = CreatedFile && other.CreatedFile,
        CreatedContainers = [.. CreatedContainers.Where(one => other.CreatedContainers.Any(c => c.SequenceEqual(one)))],
    };
}

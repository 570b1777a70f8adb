using System.Text.Json.Serialization;

namespace McpSm.Clients.Undo;

/// <summary>An inserted text.</summary>
internal sealed record UndoInsertion
{
    /// <summary>The position in the text right after the add, in UTF-16 code units.</summary>
    [JsonPropertyName("start")]
    public required int Start { get; init; }

    [JsonPropertyName("text")]
    public required string Text { get; init; }

    /// <summary>The old text at this position, which stood for nothing.</summary>
    [JsonPropertyName("replaced")]
    public string Replaced { get; init; } = "";
}

using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>A secret of another tool, stored under a name that the tool chose.</summary>
internal sealed record NamedSecret
{
    [JsonPropertyName("name")]
    public required string Name { get; init; }
    [JsonPropertyName("kind")]
    public SecretKind Kind { get; init; }
    [JsonPropertyName("text")]
    public required string Text { get; init; }
    [JsonPropertyName("metadata")]
    public IReadOnlyDictionary<string, SecretMetadataValue>? Metadata { get; init; }

    /// <summary>Hides the text, because a record prints all its members.</summary>
    public override string ToString() => "named secret";
}

using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>A secret that another tool keeps here under a name of its own.</summary>
public sealed record NamedSecret
{
    [JsonPropertyName("name")]
    public required string Name { get; init; }
    [JsonPropertyName("kind")]
    public SecretKind Kind { get; init; }
    [JsonPropertyName("text")]
    public required string Text { get; init; }
    [JsonPropertyName("metadata")]
    public IReadOnlyDictionary<string, SecretMetadataValue>? Metadata { get; init; }

    /// <summary>Without the text: records print all their members.</summary>
    public override string ToString() => "named secret";
}

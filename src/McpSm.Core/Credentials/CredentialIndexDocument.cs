using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

internal sealed record CredentialIndexDocument
{
    [JsonPropertyName("version")]
    public int Version { get; init; } = 1;
    [JsonPropertyName("servers")]
    public Dictionary<string, CredentialInfo> Servers { get; init; } = new(StringComparer.Ordinal);

    /// <summary>The vault of each named secret, by the name of the item.</summary>
    [JsonPropertyName("secrets")]
    public Dictionary<string, string>? Secrets { get; set; }

    /// <summary>The sessions at identity providers, by the name of the item.</summary>
    [JsonPropertyName("identities")]
    public Dictionary<string, IdentitySessionInfo>? Identities { get; set; }

    /// <summary>The registrations with issuers, by the name of the item.</summary>
    [JsonPropertyName("registrations")]
    public Dictionary<string, RegistrationInfo>? Registrations { get; set; }
}

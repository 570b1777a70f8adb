using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>
/// The vault item of one identity provider, <c>mcpsmidp-&lt;16 hex of SHA-256(issuer)&gt;</c>: the secret of the user's client
/// there, and the session.
/// </summary>
public sealed record IdentityProviderSecrets
{
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    /// <summary>The client that <see cref="ClientSecret"/> is of.</summary>
    [JsonPropertyName("clientId")]
    public string? ClientId { get; init; }
    [JsonPropertyName("clientSecret")]
    public string? ClientSecret { get; init; }
    [JsonPropertyName("session")]
    public IdentitySession? Session { get; init; }

    public override string ToString() => "identity item";
}

using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>
/// The vault item of one identity provider, <c>mcpsmidp-&lt;16 hex digits of SHA-256(issuer)&gt;</c>: the client secret that the user
/// gave, and the session.
/// </summary>
internal sealed record IdentityProviderSecrets
{
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }

    /// <summary>The client id that <see cref="ClientSecret"/> belongs to.</summary>
    [JsonPropertyName("clientId")]
    public string? ClientId { get; init; }
    [JsonPropertyName("clientSecret")]
    public string? ClientSecret { get; init; }
    [JsonPropertyName("session")]
    public IdentitySession? Session { get; init; }

    public override string ToString() => "identity item";
}

using System.Text.Json.Serialization;
using McpSm.Core.Grants;

namespace McpSm.Core.Credentials;

/// <summary>A person's session at an identity provider. It signs in to every server of the organisation (rule 34 of docs/rules.md).</summary>
internal sealed record IdentitySession
{
    /// <summary>Our client at the identity provider.</summary>
    [JsonPropertyName("client")]
    public required ClientIdentity Client { get; init; }

    /// <summary>The ID token. It is sent only to the identity provider, for the token exchange.</summary>
    [JsonPropertyName("idToken")]
    public required string IdToken { get; init; }

    /// <summary>The person who signed in (<c>sub</c>). A renewal must return the same.</summary>
    [JsonPropertyName("subject")]
    public required string Subject { get; init; }
    [JsonPropertyName("refreshToken")]
    public string? RefreshToken { get; init; }
    [JsonPropertyName("signedInAt")]
    public DateTimeOffset SignedInAt { get; init; }
    [JsonPropertyName("issuedAt")]
    public DateTimeOffset IssuedAt { get; init; }

    /// <summary>When the ID token expires.</summary>
    [JsonPropertyName("expiresAt")]
    public DateTimeOffset ExpiresAt { get; init; }
    [JsonPropertyName("scopes")]
    public IReadOnlyList<string> Scopes { get; init; } = [];
    [JsonPropertyName("tokenEndpoint")]
    public required string TokenEndpoint { get; init; }
    [JsonPropertyName("revocationEndpoint")]
    public string? RevocationEndpoint { get; init; }

    /// <summary>When the endpoints were read from the provider's metadata.</summary>
    [JsonPropertyName("metadataReadAt")]
    public DateTimeOffset MetadataReadAt { get; init; }

    /// <summary>Returns the session with the tokens of a sign-in or renewal. The access token is not stored, because nothing uses it.</summary>
    internal IdentitySession With(TokenSet tokens, IdTokenValidator identity) => this with
    {
        IdToken = tokens.IdToken!,
        Subject = identity.Subject,
        RefreshToken = tokens.RefreshToken,
        IssuedAt = tokens.IssuedAt,
        ExpiresAt = identity.ExpiresAt,
        Scopes = tokens.Scopes,
    };

    /// <summary>Returns whether the two sessions have the same client and person, as in <see cref="OAuthCredential.MayReplace"/>.</summary>
    internal bool MayReplace(IdentitySession other) => Client.Id == other.Client.Id && Subject == other.Subject;

    public override string ToString() => $"identity session, ID token expires {ExpiresAt:u}";
}

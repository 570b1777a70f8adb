using System.Text.Json.Serialization;
using McpSm.Core.Grants;

namespace McpSm.Core.Credentials;

/// <summary>A person's session at an identity provider, which every server of the organisation is signed in to with (rule 34 of docs/rules.md).</summary>
public sealed record IdentitySession
{
    /// <summary>As the identity provider knows us.</summary>
    [JsonPropertyName("client")]
    public required ClientIdentity Client { get; init; }

    /// <summary>Goes back to the identity provider alone, to be exchanged.</summary>
    [JsonPropertyName("idToken")]
    public required string IdToken { get; init; }

    /// <summary>Who signed in (<c>sub</c>): a renewal must give the same.</summary>
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

    /// <summary>
    /// The session with what a sign-in or renewal gave. Its access token is not kept: nothing is asked of the provider with it.
    /// </summary>
    internal IdentitySession With(TokenSet tokens, IdTokenValidator identity) => this with
    {
        IdToken = tokens.IdToken!,
        Subject = identity.Subject,
        RefreshToken = tokens.RefreshToken,
        IssuedAt = tokens.IssuedAt,
        ExpiresAt = identity.ExpiresAt,
        Scopes = tokens.Scopes,
    };

    /// <summary>As <see cref="OAuthCredential.MayReplace"/>: what was given to one client for one person.</summary>
    internal bool MayReplace(IdentitySession other) => Client.Id == other.Client.Id && Subject == other.Subject;

    public override string ToString() => $"identity session, ID token expires {ExpiresAt:u}";
}

using System.Text.Json.Serialization;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Http;

namespace McpSm.Core.Credentials;

/// <summary>An OAuth token set, with the issuer, resource and client that it belongs to.</summary>
internal sealed record OAuthCredential
{
    [JsonPropertyName("accessToken")]
    public required string AccessToken { get; init; }
    [JsonPropertyName("refreshToken")]
    public string? RefreshToken { get; init; }
    [JsonPropertyName("issuedAt")]
    public DateTimeOffset IssuedAt { get; init; }
    [JsonPropertyName("expiresAt")]
    public DateTimeOffset? ExpiresAt { get; init; }
    [JsonPropertyName("scopes")]
    public IReadOnlyList<string> Scopes { get; init; } = [];

    /// <summary>Scopes that were requested and not granted (RFC 6749 section 5.1). A step-up does not request them again.</summary>
    [JsonPropertyName("deniedScopes")]
    public IReadOnlyList<string>? DeniedScopes { get; init; }

    /// <summary>Null if the credential was imported from a program that stores no issuer. The first renewal finds the issuer.</summary>
    [JsonPropertyName("issuer")]
    public string? Issuer { get; init; }
    [JsonPropertyName("resource")]
    public required string Resource { get; init; }
    [JsonPropertyName("client")]
    public required ClientIdentity Client { get; init; }

    /// <summary>Null if <see cref="Issuer"/> is.</summary>
    [JsonPropertyName("tokenEndpoint")]
    public string? TokenEndpoint { get; init; }
    [JsonPropertyName("revocationEndpoint")]
    public string? RevocationEndpoint { get; init; }

    /// <summary>When the endpoints were read from the issuer's metadata.</summary>
    [JsonPropertyName("metadataReadAt")]
    public DateTimeOffset MetadataReadAt { get; init; }

    /// <summary>Whether the client signed in without a person. A renewal repeats the client credentials grant (RFC 6749 section 4.4).</summary>
    [JsonPropertyName("isOfClient")]
    public bool IsOfClient { get; init; }

    /// <summary>The place of the workload's assertions; null for other sign-ins. A renewal repeats the grant with the current assertion (RFC 7523).</summary>
    [JsonPropertyName("assertion")]
    public WorkloadAssertionSource? Assertion { get; init; }

    /// <summary>The key that the access token is bound to (RFC 9449); null for a bearer token.</summary>
    [JsonPropertyName("dPoPKey")]
    public DPoPKey? DPoPKey { get; init; }

    /// <summary>Whether the server requires bound tokens. A renewal that returns an unbound token fails.</summary>
    [JsonPropertyName("requiresDPoP")]
    public bool RequiresDPoP { get; init; }

    /// <summary>
    /// The issuer identifier of the identity provider that the person signed in with; null for other sign-ins. A renewal asks it again
    /// (rule 34 of docs/rules.md). The session there is in another item, <see cref="IdentityProviderSecrets"/>.
    /// </summary>
    [JsonPropertyName("identityProvider")]
    public string? IdentityProvider { get; init; }

    [JsonIgnore]
    public SignedInBy SignedInBy => Assertion is not null ? SignedInBy.Workload : IsOfClient ? SignedInBy.Client
        : IdentityProvider is not null ? SignedInBy.IdentityProvider : SignedInBy.Person;

    [JsonIgnore]
    public bool CanRenew => SignedInBy != SignedInBy.Person || RefreshToken is not null;

    public OAuthCredential With(TokenSet tokens) => this with
    {
        AccessToken = tokens.AccessToken,
        RefreshToken = tokens.RefreshToken,
        IssuedAt = tokens.IssuedAt,
        // Without a refresh token, a guessed expiry would only end a token early that the server may still accept.
        ExpiresAt = tokens.ExpiresAt ?? (tokens.RefreshToken is null ? null : ExpiryHint.Read(tokens.AccessToken, tokens.IssuedAt)),
        Scopes = tokens.Scopes,
        DPoPKey = tokens.Key,
        Client = (tokens.Client ?? Client).Proven,
    };

    /// <summary>Adds the token to a request, with a proof for the request if the token is bound (RFC 9449 section 7.1).</summary>
    /// <exception cref="McpAuthException">VaultCorrupt: the key is damaged.</exception>
    internal void Authorize(HttpRequestMessage request, DateTimeOffset now)
    {
        request.Headers.Authorization = new(DPoPKey is null ? TokenType.Bearer : TokenType.DPoP, AccessToken);
        if (DPoPKey is not null)
        {
            request.Headers.Remove(DPoPProof.Header);
            request.Headers.Add(DPoPProof.Header,
                DPoPProof.Create(DPoPKey, request.Method, request.RequestUri!, now, AccessToken, DPoPNonceCache.For(request.RequestUri!)));
        }
    }

    /// <summary>
    /// Returns whether revoking the refresh token of this credential may end the other too (RFC 7009 section 2.1). Keycloak ends everything
    /// that a person granted to a client, node oidc-provider ends one browser session, and Auth0 ends what it is configured to.
    /// </summary>
    internal bool MayReplace(OAuthCredential other) => Issuer == other.Issuer && Client.Id == other.Client.Id;

    public override string ToString() => $"OAuth credential, expires {ExpiresAt:u}";
}

namespace McpSm.Samples;

public enum TokenKind
{
    Access,
    Refresh,
}

public enum TokenState
{
    Active,

    /// <summary>A refresh token that was used and replaced.</summary>
    Rotated,
    Revoked,
    Expired,
}

/// <summary>A token the issuer gave out, as it stands now.</summary>
public sealed record IssuedToken(
    string Value,
    TokenKind Kind,
    TokenState State,
    string ClientId,
    string GrantType,
    IReadOnlyList<string> Scopes,
    IReadOnlyList<string> Resources,
    DateTimeOffset IssuedAt,
    DateTimeOffset? ExpiresAt)
{
    /// <summary>The key it is bound to (RFC 9449); null for a bearer token.</summary>
    public string? KeyThumbprint { get; init; }
}

/// <summary>What a resource server learns of an access token (the substance of RFC 7662).</summary>
public sealed record AccessTokenInfo(
    bool Active,
    string ClientId,
    IReadOnlyList<string> Scopes,
    IReadOnlyList<string> Resources,
    DateTimeOffset ExpiresAt)
{
    /// <summary>The key it is bound to, as <c>cnf.jkt</c> says it (RFC 9449 section 6.2); null for a bearer token.</summary>
    public string? KeyThumbprint { get; init; }
}

/// <summary>What was granted, by a person or by the issuer's own rules.</summary>
/// <param name="Nonce">Of the request, for the ID token that answers it.</param>
internal sealed record Grant(string ClientId, IReadOnlyList<string> Scopes, IReadOnlyList<string> Resources, string? Nonce = null);

/// <summary>All tokens that descend from one grant; they die together.</summary>
internal sealed class TokenFamily(Grant grant)
{
    public Grant Grant { get; } = grant;

    public bool Revoked { get; set; }
}

/// <summary>One token answer, RFC 6749 section 5.1.</summary>
internal sealed record TokenAnswer(
    string AccessToken,
    string? RefreshToken,
    TimeSpan Lifetime,
    IReadOnlyList<string> Scopes);

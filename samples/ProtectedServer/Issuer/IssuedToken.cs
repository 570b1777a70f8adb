namespace McpSm.Samples;

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

namespace McpSm.Samples;

/// <summary>An issued token with its current state.</summary>
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
    /// <summary>The thumbprint of the key that the token is bound to (RFC 9449); null for a bearer token.</summary>
    public string? KeyThumbprint { get; init; }
}

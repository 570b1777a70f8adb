namespace McpSm.Samples;

/// <summary>The data of an access token for a resource server (the content of RFC 7662).</summary>
public sealed record AccessTokenInfo(
    bool Active,
    string ClientId,
    IReadOnlyList<string> Scopes,
    IReadOnlyList<string> Resources,
    DateTimeOffset ExpiresAt)
{
    /// <summary>The thumbprint of the key that the token is bound to, <c>cnf.jkt</c> (RFC 9449 section 6.2); null for a bearer token.</summary>
    public string? KeyThumbprint { get; init; }
}

namespace McpSm.Samples;

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

namespace McpSm.Samples;

/// <summary>A token response (RFC 6749 section 5.1).</summary>
internal sealed record TokenResponse(
    string AccessToken,
    string? RefreshToken,
    TimeSpan Lifetime,
    IReadOnlyList<string> Scopes);

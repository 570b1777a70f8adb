namespace McpSm.Samples;

/// <summary>A valid authorization request (OAuth 2.1 section 4.1.1).</summary>
internal sealed record AuthorizationRequest(
    RegisteredClient Client,
    string RedirectUri,
    string? State,
    string CodeChallenge,
    IReadOnlyList<string> Scopes,
    IReadOnlyList<string> Resources,
    string? Key,
    string? Nonce);

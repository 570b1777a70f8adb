namespace McpSm.Samples;

/// <summary>What was granted, by a person or by the issuer's own rules.</summary>
/// <param name="Nonce">Of the request, for the ID token that answers it.</param>
internal sealed record Grant(string ClientId, IReadOnlyList<string> Scopes, IReadOnlyList<string> Resources, string? Nonce = null);

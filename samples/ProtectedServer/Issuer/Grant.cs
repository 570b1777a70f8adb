namespace McpSm.Samples;

/// <summary>An authorization that a user, or the rules of the issuer, granted.</summary>
/// <param name="Nonce">The nonce of the request, for the ID token.</param>
internal sealed record Grant(string ClientId, IReadOnlyList<string> Scopes, IReadOnlyList<string> Resources, string? Nonce = null);

namespace McpSm.Core.Configuration;

/// <summary>The identity provider for the whole catalog.</summary>
/// <param name="Issuer">The issuer identifier, a raw string.</param>
/// <param name="ClientId">The id of a pre-registered client; null to register a client dynamically.</param>
/// <param name="Scopes">The scopes to request in addition to <c>openid</c>; empty for the scopes that allow renewal without a person.</param>
internal sealed record IdentityProviderSetting(string Issuer, string? ClientId, IReadOnlyList<string> Scopes);

namespace McpSm.Core.Configuration;

/// <summary>The identity provider for the whole catalog.</summary>
/// <param name="Issuer">Its issuer identifier, a raw string.</param>
/// <param name="ClientId">The client that its administrators registered; null where we register ourselves.</param>
/// <param name="Scopes">What is asked for beside <c>openid</c>; empty for what renews the session without a person.</param>
public sealed record IdentityProviderSetting(string Issuer, string? ClientId, IReadOnlyList<string> Scopes);

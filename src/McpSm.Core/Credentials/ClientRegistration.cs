using System.Text.Json.Serialization;
using McpSm.Core.Grants;

namespace McpSm.Core.Credentials;

/// <summary>A stored dynamic client registration with one issuer (RFC 7591 section 3.2.1).</summary>
internal sealed record ClientRegistration
{
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }
    [JsonPropertyName("client")]
    public required ClientIdentity Client { get; init; }
    [JsonPropertyName("ports")]
    public required IReadOnlyList<int> Ports { get; init; }

    /// <summary>The host of the redirect URI: <c>localhost</c> if the issuer accepted no other. Null, as in older items, means 127.0.0.1.</summary>
    [JsonPropertyName("redirectHost")]
    public string? RedirectHost { get; init; }

    /// <summary>The scopes that the registration named; null if it named none.</summary>
    [JsonPropertyName("scopes")]
    public IReadOnlyList<string>? Scopes { get; init; }
    [JsonPropertyName("secretExpiresAt")]
    public DateTimeOffset? SecretExpiresAt { get; init; }

    /// <summary>
    /// A newer registration, made for a sign-in that has not succeeded yet, or null. It replaces this one after the first
    /// successful sign-in. A failed sign-in therefore costs nothing, and the next one does not register again.
    /// </summary>
    [JsonPropertyName("candidate")]
    public ClientRegistration? Candidate { get; init; }

    public override string ToString() => "client registration";
}

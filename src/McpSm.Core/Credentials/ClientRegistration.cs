using System.Text.Json.Serialization;
using McpSm.Core.Grants;

namespace McpSm.Core.Credentials;

/// <summary>A dynamic registration as kept, by issuer (RFC 7591 section 3.2.1).</summary>
public sealed record ClientRegistration
{
    [JsonPropertyName("issuer")]
    public required string Issuer { get; init; }
    [JsonPropertyName("client")]
    public required ClientIdentity Client { get; init; }
    [JsonPropertyName("ports")]
    public required IReadOnlyList<int> Ports { get; init; }

    /// <summary>The host of its redirect URI: <c>localhost</c> if the issuer took no other; null, as in older items, for 127.0.0.1.</summary>
    [JsonPropertyName("redirectHost")]
    public string? RedirectHost { get; init; }

    /// <summary>The scopes that the registration named; null where it named none.</summary>
    [JsonPropertyName("scopes")]
    public IReadOnlyList<string>? Scopes { get; init; }
    [JsonPropertyName("secretExpiresAt")]
    public DateTimeOffset? SecretExpiresAt { get; init; }

    /// <summary>
    /// A newer registration, made for a sign-in that has not succeeded yet; null if there is none. It takes the place of this one
    /// when a sign-in with it succeeds, so a sign-in that fails costs nothing, and the next try need not register again.
    /// </summary>
    [JsonPropertyName("candidate")]
    public ClientRegistration? Candidate { get; init; }

    public override string ToString() => "client registration";
}

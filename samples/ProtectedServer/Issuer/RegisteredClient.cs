using System.Text.Json.Nodes;

namespace McpSm.Samples;

/// <summary>A client of the issuer.</summary>
public sealed record RegisteredClient(
    string ClientId,
    string? ClientSecret,
    IReadOnlyList<string> RedirectUris,
    string TokenEndpointAuthMethod)
{
    /// <summary>The placeholder for a workload without a client, which its assertion identifies.</summary>
    internal static readonly RegisteredClient Anonymous = new("", null, [], "none");

    /// <summary>The allowed grant types; null for all.</summary>
    public IReadOnlyList<string>? GrantTypes { get; init; }

    /// <summary>The name for users; the identifier if the client has no name.</summary>
    public string? ClientName { get; init; }

    /// <summary>The public key or certificate as PEM, for <c>private_key_jwt</c>.</summary>
    public string? AssertionKey { get; init; }

    /// <summary>The unchanged registration request (RFC 7591); null if the client is pre-registered.</summary>
    public JsonObject? RegistrationRequest { get; init; }

    /// <summary>Whether the client has a metadata document. It is not fetched, so its redirect URIs are unknown.</summary>
    internal bool AnyRedirectUri { get; init; }

    /// <summary>Whether the client is confidential (RFC 6749 section 2.1).</summary>
    public bool IsConfidential => TokenEndpointAuthMethod != "none";

    internal bool MayUse(string grantType) => GrantTypes is null || GrantTypes.Contains(grantType);
}

using System.Text.Json.Nodes;

namespace McpSm.Samples;

/// <summary>A client as the issuer knows it.</summary>
public sealed record RegisteredClient(
    string ClientId,
    string? ClientSecret,
    IReadOnlyList<string> RedirectUris,
    string TokenEndpointAuthMethod)
{
    /// <summary>In place of a client where there is none: a workload is known by its assertion.</summary>
    internal static readonly RegisteredClient Nobody = new("", null, [], "none");

    /// <summary>The grant types it may use; null for all of them.</summary>
    public IReadOnlyList<string>? GrantTypes { get; init; }

    /// <summary>What a person is shown; the identifier where it has no name.</summary>
    public string? ClientName { get; init; }

    /// <summary>The public key or certificate, as PEM, of a client that authenticates by <c>private_key_jwt</c>.</summary>
    public string? AssertionKey { get; init; }

    /// <summary>The registration request as it came in (RFC 7591); null if it did not register itself.</summary>
    public JsonObject? RegistrationRequest { get; init; }

    /// <summary>Known by a metadata document that nobody fetched: its redirect URIs are not known.</summary>
    internal bool AnyRedirectUri { get; init; }

    /// <summary>A confidential client can keep a secret (RFC 6749 section 2.1).</summary>
    public bool IsConfidential => TokenEndpointAuthMethod != "none";

    internal bool MayUse(string grantType) => GrantTypes is null || GrantTypes.Contains(grantType);
}

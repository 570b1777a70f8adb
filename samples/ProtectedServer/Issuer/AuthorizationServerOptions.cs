using System.Security.Cryptography.X509Certificates;

namespace McpSm.Samples;

/// <summary>What an <see cref="AuthorizationServer"/> offers and how it behaves.</summary>
public sealed record AuthorizationServerOptions
{
    /// <summary>Port on 127.0.0.1; 0 for any free one.</summary>
    public int Port { get; init; }

    /// <summary>The origin by which others reach it, such as <c>https://issuer.example</c> behind a proxy; null for its own.</summary>
    public string? Origin { get; init; }

    /// <summary>Path of the issuer identifier, such as <c>/tenant1</c>; empty for none.</summary>
    public string IssuerPath { get; init; } = "";

    /// <summary>Given: the issuer is served over https.</summary>
    public X509Certificate2? Certificate { get; init; }

    public TimeSpan AccessTokenLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Leaves <c>expires_in</c> out of token answers; the tokens expire all the same.</summary>
    public bool OmitExpiresIn { get; init; }

    /// <summary>Refresh tokens for clients that may use them (<c>refresh_token</c> among their grant types).</summary>
    public bool IssueRefreshTokens { get; init; } = true;

    /// <summary>Each refresh token works once; using one again revokes every token of its authorization.</summary>
    public bool RotateRefreshTokens { get; init; } = true;

    /// <summary>The authorization endpoint redirects at once, without asking a person.</summary>
    public bool AutoApprove { get; init; }

    /// <summary>Dynamic client registration, RFC 7591.</summary>
    public bool SupportsRegistration { get; init; } = true;

    /// <summary>Token revocation, RFC 7009.</summary>
    public bool SupportsRevocation { get; init; } = true;

    /// <summary>Device authorization, RFC 8628.</summary>
    public bool SupportsDeviceCode { get; init; }

    public TimeSpan DeviceCodeLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Shortest time between two polls of the token endpoint; sooner is answered <c>slow_down</c>.</summary>
    public TimeSpan DevicePollingInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Takes any https URL as the identifier of a public client. The document is not fetched.</summary>
    public bool SupportsClientIdMetadataDocuments { get; init; }

    /// <summary>Advertises <c>iss</c> in authorization responses and sends it, RFC 9207.</summary>
    public bool AdvertiseIss { get; init; } = true;

    /// <summary>Says in its metadata that it takes DPoP proofs, and binds tokens to their keys (RFC 9449).</summary>
    public bool SupportsDPoP { get; init; }

    /// <summary>Gives no token to a request without a proof.</summary>
    public bool RequireDPoP { get; init; }

    /// <summary>Wants its nonce in each proof.</summary>
    public bool RequireDPoPNonce { get; init; }

    /// <summary>Serves RFC 8414 metadata.</summary>
    public bool ServeOAuthMetadata { get; init; } = true;

    /// <summary>Serves OpenID Connect discovery.</summary>
    public bool ServeOpenIdConfiguration { get; init; } = true;

    public IReadOnlyList<string> ScopesSupported { get; init; } = ["mcp:tools"];

    public IReadOnlyList<string> TokenEndpointAuthMethods { get; init; } =
        ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];

    public IReadOnlyList<RegisteredClient> PreRegisteredClients { get; init; } = [];

    /// <summary>The platforms whose workloads are let in with an assertion (RFC 7523 section 2.1).</summary>
    public IReadOnlyList<TrustedPlatform> TrustedPlatforms { get; init; } = [];

    /// <summary>Given: this is the identity provider of an organisation, which vouches for its people at issuers of servers.</summary>
    public Organisation? Organisation { get; init; }

    /// <summary>The identity providers whose word is taken, by their issuer identifiers: an ID-JAG of theirs lets a person in.</summary>
    public IReadOnlyList<string> TrustedIdentityProviders { get; init; } = [];

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

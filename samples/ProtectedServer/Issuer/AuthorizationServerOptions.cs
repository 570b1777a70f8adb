using System.Security.Cryptography.X509Certificates;

namespace McpSm.Samples;

/// <summary>The features and the behaviour of an <see cref="AuthorizationServer"/>.</summary>
public sealed record AuthorizationServerOptions
{
    /// <summary>The port on 127.0.0.1; 0 for any free port.</summary>
    public int Port { get; init; }

    /// <summary>The public origin, such as <c>https://issuer.example</c> behind a proxy; null for the loopback address.</summary>
    public string? Origin { get; init; }

    /// <summary>The path of the issuer identifier, such as <c>/tenant1</c>; empty for the root.</summary>
    public string IssuerPath { get; init; } = "";

    /// <summary>The certificate for https; null for plain http.</summary>
    public X509Certificate2? Certificate { get; init; }

    public TimeSpan AccessTokenLifetime { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Leaves <c>expires_in</c> out of token responses. The tokens still expire.</summary>
    public bool OmitExpiresIn { get; init; }

    /// <summary>Issues refresh tokens to clients with <c>refresh_token</c> in their grant types.</summary>
    public bool IssueRefreshTokens { get; init; } = true;

    /// <summary>Accepts each refresh token once. A second use revokes every token of the authorization.</summary>
    public bool RotateRefreshTokens { get; init; } = true;

    /// <summary>Redirects at once from the authorization endpoint, without a consent page.</summary>
    public bool AutoApprove { get; init; }

    /// <summary>Supports dynamic client registration (RFC 7591).</summary>
    public bool SupportsRegistration { get; init; } = true;

    /// <summary>Supports token revocation (RFC 7009).</summary>
    public bool SupportsRevocation { get; init; } = true;

    /// <summary>Supports device authorization (RFC 8628).</summary>
    public bool SupportsDeviceCode { get; init; }

    public TimeSpan DeviceCodeLifetime { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The minimum time between two polls of the token endpoint. An earlier poll gets <c>slow_down</c>.</summary>
    public TimeSpan DevicePollingInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Accepts any https URL as the identifier of a public client. The document is not fetched.</summary>
    public bool SupportsClientIdMetadataDocuments { get; init; }

    /// <summary>Advertises and sends <c>iss</c> in authorization responses (RFC 9207).</summary>
    public bool AdvertiseIss { get; init; } = true;

    /// <summary>Advertises DPoP and binds tokens to the keys of proofs (RFC 9449).</summary>
    public bool SupportsDPoP { get; init; }

    /// <summary>Refuses token requests without a proof.</summary>
    public bool RequireDPoP { get; init; }

    /// <summary>Requires the current nonce in each proof.</summary>
    public bool RequireDPoPNonce { get; init; }

    /// <summary>Serves RFC 8414 metadata.</summary>
    public bool ServeOAuthMetadata { get; init; } = true;

    /// <summary>Serves OpenID Connect discovery.</summary>
    public bool ServeOpenIdConfiguration { get; init; } = true;

    public IReadOnlyList<string> ScopesSupported { get; init; } = ["mcp:tools"];

    public IReadOnlyList<string> TokenEndpointAuthMethods { get; init; } =
        ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"];

    public IReadOnlyList<RegisteredClient> PreRegisteredClients { get; init; } = [];

    /// <summary>The platforms whose workloads can sign in with an assertion (RFC 7523 section 2.1).</summary>
    public IReadOnlyList<TrustedPlatform> TrustedPlatforms { get; init; } = [];

    /// <summary>Makes this issuer the identity provider of an organisation, which issues ID-JAGs for other issuers; null for an ordinary issuer.</summary>
    public Organisation? Organisation { get; init; }

    /// <summary>The trusted identity providers by issuer identifier. A user can sign in with their ID-JAGs.</summary>
    public IReadOnlyList<string> TrustedIdentityProviders { get; init; } = [];

    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}

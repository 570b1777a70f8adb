using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Grants;

namespace McpSm.Core.Registration;

/// <summary>What one registration request asks for, its redirect URI aside.</summary>
internal sealed record RegistrationRequest
{
    private const string RefreshToken = OidcConstants.GrantTypes.RefreshToken;

    // In the order in which they are asked for: a secret is for those who cannot do without.
    private static readonly string[] Methods = [ClientIdentity.None, ClientIdentity.Basic, ClientIdentity.Post];

    public required IReadOnlyList<string> GrantTypes { get; init; }

    public required string AuthMethod { get; init; }

    /// <summary>Null to name none: what the issuer makes of that suits most servers.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>Null to leave it out.</summary>
    public string? ApplicationType { get; init; } = "native";

    /// <summary>The methods that the issuer did not take.</summary>
    private IReadOnlyList<string> RefusedMethods { get; init; } = [];

    /// <summary>What to ask of an issuer first, by its metadata (RFC 8414 section 2).</summary>
    public static RegistrationRequest For(AuthorizationServerMetadata issuer) => new()
    {
        GrantTypes =
        [
            OidcConstants.GrantTypes.AuthorizationCode,
            .. If(issuer.GrantTypesSupported is null or { Count: 0 } || issuer.GrantTypesSupported.Contains(RefreshToken), RefreshToken),
            .. If(issuer.GrantTypesSupported?.Contains(OidcConstants.GrantTypes.DeviceCode) == true, OidcConstants.GrantTypes.DeviceCode),
            // Of an identity provider: what its ID tokens are for.
            .. If(issuer.RequestedTokenTypes?.Contains(TokenExchangeGrant.IdJag) == true, OidcConstants.GrantTypes.TokenExchange),
        ],
        AuthMethod = Offered(issuer).FirstOrDefault() ?? ClientIdentity.None,
    };

    /// <summary>The request with one field changed; null if nothing else can be asked for in that field.</summary>
    /// <param name="wanted">The scopes of the sign-in.</param>
    public RegistrationRequest? Without(RegistrationField refused, AuthorizationServerMetadata issuer, IReadOnlyList<string> wanted)
    {
        switch (refused)
        {
            case RegistrationField.Scope when Scopes is null && (wanted.Count > 0 ? wanted : issuer.ScopesSupported) is { Count: > 0 } scopes:
                return this with { Scopes = scopes };
            case RegistrationField.GrantTypes when GrantTypes.Count > 1:
                return this with { GrantTypes = GrantTypes.Contains(RefreshToken) ? [.. GrantTypes.Where(g => g != RefreshToken)] : [GrantTypes[0]] };
            case RegistrationField.AuthMethod when Offered(issuer).Except([.. RefusedMethods, AuthMethod]).FirstOrDefault() is { } method:
                return this with { AuthMethod = method, RefusedMethods = [.. RefusedMethods, AuthMethod] };
            case RegistrationField.ApplicationType when ApplicationType is not null:
                return this with { ApplicationType = null };
            default:
                return null;
        }
    }

    public DynamicClientRegistrationDocument ToDocument(string redirectUri) => new()
    {
        ClientName = "Mcpsm",
        ApplicationType = ApplicationType!,
        RedirectUris = [new Uri(redirectUri)],
        ResponseTypes = ["code"],
        GrantTypes = [.. GrantTypes],
        TokenEndpointAuthenticationMethod = AuthMethod,
        Scope = Scopes is null ? null : Discovery.Scopes.Join(Scopes),
        // Empty lists would be sent as such, and some issuers refuse them.
        Contacts = null!,
        DefaultAcrValues = null!,
        RequestUris = null!,
        PostLogoutRedirectUris = null!,
    };

    private static IEnumerable<string> Offered(AuthorizationServerMetadata issuer) =>
        issuer.TokenEndpointAuthMethods is { Count: > 0 } advertised ? Methods.Where(advertised.Contains) : Methods;

    private static string[] If(bool condition, string grantType) => condition ? [grantType] : [];
}

using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Grants;

namespace McpSm.Core.Registration;

/// <summary>The values of a registration request, without its redirect URI.</summary>
internal sealed record RegistrationRequest
{
    private const string RefreshToken = OidcConstants.GrantTypes.RefreshToken;

    // In this order: Mcpsm asks for a secret only if the issuer requires one.
    private static readonly string[] Methods = [ClientIdentity.None, ClientIdentity.Basic, ClientIdentity.Post];

    public required IReadOnlyList<string> GrantTypes { get; init; }

    public required string AuthMethod { get; init; }

    /// <summary>Null to name none: most issuers then choose suitable scopes.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }

    /// <summary>Null to leave it out.</summary>
    public string? ApplicationType { get; init; } = "native";

    /// <summary>The methods that the issuer refused.</summary>
    private IReadOnlyList<string> RefusedMethods { get; init; } = [];

    /// <summary>Returns the first request for an issuer, by its metadata (RFC 8414 section 2).</summary>
    public static RegistrationRequest For(AuthorizationServerMetadata issuer) => new()
    {
        GrantTypes =
        [
            OidcConstants.GrantTypes.AuthorizationCode,
            .. If(issuer.GrantTypesSupported is null or { Count: 0 } || issuer.GrantTypesSupported.Contains(RefreshToken), RefreshToken),
            .. If(issuer.GrantTypesSupported?.Contains(OidcConstants.GrantTypes.DeviceCode) == true, OidcConstants.GrantTypes.DeviceCode),
            // An identity provider exchanges its ID tokens by this grant.
            .. If(issuer.RequestedTokenTypes?.Contains(TokenExchangeGrant.IdJag) == true, OidcConstants.GrantTypes.TokenExchange),
        ],
        AuthMethod = Offered(issuer).FirstOrDefault() ?? ClientIdentity.None,
    };

    /// <summary>Returns the request with one field changed; null if the field has no other value.</summary>
    /// <param name="refused">The field that the issuer refused.</param>
    /// <param name="issuer">The metadata of the issuer.</param>
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
        // Null, because some issuers refuse empty lists.
        Contacts = null!,
        DefaultAcrValues = null!,
        RequestUris = null!,
        PostLogoutRedirectUris = null!,
    };

    private static IEnumerable<string> Offered(AuthorizationServerMetadata issuer) =>
        issuer.TokenEndpointAuthMethods is { Count: > 0 } advertised ? Methods.Where(advertised.Contains) : Methods;

    private static string[] If(bool condition, string grantType) => condition ? [grantType] : [];
}

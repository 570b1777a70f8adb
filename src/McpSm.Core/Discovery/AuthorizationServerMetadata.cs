using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Discovery;

/// <summary>Metadata of an authorization server (RFC 8414, OpenID Connect Discovery 1.0), validated for its issuer.</summary>
public sealed record AuthorizationServerMetadata
{
    private const string IdJagProfile = "urn:ietf:params:oauth:grant-profile:id-jag";
    private static readonly string[] Endpoints =
        ["authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint", "device_authorization_endpoint"];

    private const string JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

    /// <summary>The issuer's identifier, a raw string: never normalised.</summary>
    public required string Issuer { get; init; }

    public string? AuthorizationEndpoint { get; init; }

    public required string TokenEndpoint { get; init; }

    public string? RegistrationEndpoint { get; init; }

    public string? RevocationEndpoint { get; init; }

    public string? DeviceAuthorizationEndpoint { get; init; }

    public IReadOnlyList<string>? TokenEndpointAuthMethods { get; init; }

    public IReadOnlyList<string>? ScopesSupported { get; init; }

    public IReadOnlyList<string>? GrantTypesSupported { get; init; }

    /// <summary>The algorithms of proofs it takes (RFC 9449 section 5.1); null where it does not say.</summary>
    public IReadOnlyList<string>? DPoPAlgorithms { get; init; }

    /// <summary>The grant profiles of <c>authorization_grant_profiles_supported</c> (draft-ietf-oauth-identity-assertion-authz-grant).</summary>
    public IReadOnlyList<string>? GrantProfiles { get; init; }

    /// <summary>
    /// What an identity provider exchanges its tokens for, of <c>identity_chaining_requested_token_types_supported</c>; null
    /// where it does not say.
    /// </summary>
    public IReadOnlyList<string>? RequestedTokenTypes { get; init; }

    /// <summary>Whether it says that it lets in people whom an identity provider vouches for with an ID-JAG.</summary>
    public bool IdJagSupported => GrantProfiles?.Contains(IdJagProfile) == true && GrantTypesSupported?.Contains(JwtBearer) == true;

    /// <summary>Whether PKCE with S256 is advertised (RFC 7636), or known; unknowable for endpoints taken by default.</summary>
    public bool SupportsPkce { get; init; }

    /// <summary>Whether every authorization response carries <c>iss</c> (RFC 9207 section 3).</summary>
    public bool AuthorizationResponseIssSupported { get; init; }

    /// <summary>Whether a metadata document's URL is taken as client id.</summary>
    public bool ClientIdMetadataDocumentSupported { get; init; }

    /// <summary>Whether these are the default endpoints of 2025-03-26, that no metadata vouches for (rule 39 of docs/rules.md).</summary>
    public bool IsLegacyDefault { get; init; }

    /// <summary>
    /// Finds the metadata of an issuer, in the order of rules 4 and 5; each must name that very issuer. Of Entra ID it is
    /// known, see <see cref="EntraIssuer"/>.
    /// </summary>
    /// <exception cref="McpAuthException">MetadataInvalid, IssuerMismatch, UnsafeEndpoint, ServerUnreachable.</exception>
    public static Task<AuthorizationServerMetadata> FindAsync(RestrictedHttpClient http, UrlPolicy policy, string issuer, CancellationToken cancellationToken) =>
        FindAsync(http, policy, issuer, null, cancellationToken);

    /// <param name="naming">Makes the step that names another issuer, by its identifier; null if there is none.</param>
    internal static async Task<AuthorizationServerMetadata> FindAsync(RestrictedHttpClient http, UrlPolicy policy, string issuer, Func<string, NextStep>? naming,
        CancellationToken cancellationToken)
    {
        policy.Ask(issuer);
        var identifier = policy.Check(issuer, "The issuer");
        if (EntraIssuer.Find(issuer) is { } entra)
        {
            return entra.Describe(issuer);
        }
        if (identifier.Query.Length > 0 || identifier.Fragment.Length > 0)
        {
            throw new McpAuthException(ErrorReason.MetadataInvalid,
                "The issuer's identifier has a query or a fragment, which RFC 8414 forbids.");
        }
        return await FindAsync(http, policy, Forms(identifier), name => name == issuer, issuer, naming, cancellationToken)
            .ConfigureAwait(false)
            ?? throw new McpAuthException(ErrorReason.MetadataInvalid,
                $"The issuer {UntrustedText.Sanitize(issuer)} publishes no metadata.");
    }

    /// <summary>
    /// Metadata at the root of the server's own origin, for servers of 2025-03-26 (rule 39). Nobody named an
    /// identifier here, so both spellings of the origin are its name.
    /// </summary>
    /// <returns>Null where there is none.</returns>
    public static Task<AuthorizationServerMetadata?> FindAtRootAsync(RestrictedHttpClient http, UrlPolicy policy, Uri server,
        CancellationToken cancellationToken)
    {
        var origin = server.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
        return FindAsync(http, policy, [origin + "/.well-known/oauth-authorization-server"],
            name => name == origin || name == origin + "/", origin, null, cancellationToken);
    }

    /// <summary>The default endpoints of 2025-03-26 at the server's origin (rule 39), on the user's word alone.</summary>
    public static AuthorizationServerMetadata LegacyDefault(Uri server)
    {
        var origin = server.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
        return new AuthorizationServerMetadata
        {
            Issuer = origin,
            AuthorizationEndpoint = origin + "/authorize",
            TokenEndpoint = origin + "/token",
            RegistrationEndpoint = origin + "/register",
            IsLegacyDefault = true,
        };
    }

    private static IEnumerable<string> Forms(Uri issuer)
    {
        var origin = issuer.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
        var path = issuer.AbsolutePath.TrimEnd('/');
        yield return $"{origin}/.well-known/oauth-authorization-server{path}";
        yield return $"{origin}/.well-known/openid-configuration{path}";
        if (path.Length > 0)
        {
            yield return $"{origin}{path}/.well-known/openid-configuration";
        }
    }

    private static async Task<AuthorizationServerMetadata?> FindAsync(RestrictedHttpClient http, UrlPolicy policy, IEnumerable<string> forms,
        Func<string, bool> isIssuer, string issuer, Func<string, NextStep>? naming, CancellationToken cancellationToken)
    {
        McpAuthException? failure = null;
        foreach (var form in forms)
        {
            try
            {
                var answer = await http.GetAsync(form, "The issuer's metadata", cancellationToken).ConfigureAwait(false);
                if (answer.Status == 200)
                {
                    return Parse(answer, policy, isIssuer, issuer, naming);
                }
                if (answer.Status != 404)
                {
                    failure = MoreSevere(failure, new McpAuthException(ErrorReason.MetadataInvalid,
                        $"The issuer {UntrustedText.Sanitize(issuer)} answered {answer.Status} for its metadata.")
                    { StatusCode = answer.Status });
                }
            }
            catch (McpAuthException e) when (e.Reason is ErrorReason.MetadataInvalid or ErrorReason.IssuerMismatch or ErrorReason.UnsafeEndpoint)
            {
                failure = MoreSevere(failure, e);
            }
        }
        return failure is null ? null : throw failure;
    }

    /// <summary>Of two failures a lie about the issuer is the one to tell.</summary>
    private static McpAuthException MoreSevere(McpAuthException? first, McpAuthException next) =>
        first is null || (next.Reason == ErrorReason.IssuerMismatch && first.Reason != ErrorReason.IssuerMismatch)
            ? next : first;

    /// <summary>Whether it is the identifier of the issuer without the last segments of its path: the same host may well be that issuer.</summary>
    private static bool IsWithoutPath(string named, string issuer) => UrlPolicy.TryParse(named, out var uri) && uri.Host.Length > 0
        && uri.Query.Length == 0 && uri.Fragment.Length == 0 && issuer.StartsWith(named.TrimEnd('/') + "/", StringComparison.Ordinal);

    private static AuthorizationServerMetadata Parse(HttpDocument answer, UrlPolicy policy, Func<string, bool> isIssuer, string issuer, Func<string, NextStep>? naming)
    {
        var document = MetadataDocument.Parse(answer, "The issuer's metadata");
        var named = document.Required("issuer");
        if (!isIssuer(named))
        {
            throw new McpAuthException(ErrorReason.IssuerMismatch,
                $"The metadata of {UntrustedText.Sanitize(issuer)} names another issuer, {UntrustedText.Sanitize(named)}.",
                // The most common mistakes; Google's own servers make the first. By rule 6 every slash counts, until the user says otherwise.
                naming is not null && named.TrimEnd('/') == issuer.TrimEnd('/')
                    ? $"They differ by the slash at the end alone. If that is the issuer: {naming(named)}"
                    : naming is not null && IsWithoutPath(named, issuer)
                    ? $"It leaves out the end of the path. If that is the issuer: {naming(named)}"
                    : (Remedy)"Tell whoever runs the server; signing in there could hand your token to somebody else.");
        }
        policy.Ask(issuer, [.. Endpoints.Select(document.Optional)]);
        return new AuthorizationServerMetadata
        {
            Issuer = named,
            AuthorizationEndpoint = document.Optional("authorization_endpoint") is { } authorize
                ? policy.Check(authorize, "The authorization endpoint").OriginalString : null,
            TokenEndpoint = policy.Check(document.Required("token_endpoint"), "The token endpoint").OriginalString,
            RegistrationEndpoint = document.Optional("registration_endpoint"),
            RevocationEndpoint = document.Optional("revocation_endpoint"),
            DeviceAuthorizationEndpoint = document.Optional("device_authorization_endpoint"),
            TokenEndpointAuthMethods = document.Strings("token_endpoint_auth_methods_supported"),
            ScopesSupported = document.Strings("scopes_supported"),
            GrantTypesSupported = document.Strings("grant_types_supported"),
            DPoPAlgorithms = document.Strings("dpop_signing_alg_values_supported"),
            GrantProfiles = document.Strings("authorization_grant_profiles_supported"),
            RequestedTokenTypes = document.Strings("identity_chaining_requested_token_types_supported"),
            SupportsPkce = document.Strings("code_challenge_methods_supported")?.Contains("S256") == true,
            AuthorizationResponseIssSupported = document.IsTrue("authorization_response_iss_parameter_supported"),
            ClientIdMetadataDocumentSupported = document.IsTrue("client_id_metadata_document_supported"),
        };
    }
}

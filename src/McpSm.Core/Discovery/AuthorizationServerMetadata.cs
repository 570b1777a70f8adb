using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Discovery;

/// <summary>Metadata of an authorization server (RFC 8414, OpenID Connect Discovery 1.0), validated against its issuer identifier.</summary>
internal sealed record AuthorizationServerMetadata
{
    private const string IdJagProfile = "urn:ietf:params:oauth:grant-profile:id-jag";
    private static readonly string[] Endpoints =
        ["authorization_endpoint", "token_endpoint", "registration_endpoint", "revocation_endpoint", "device_authorization_endpoint"];

    private const string JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

    /// <summary>The issuer identifier: a raw string that is never normalised.</summary>
    public required string Issuer { get; init; }

    public string? AuthorizationEndpoint { get; init; }

    public required string TokenEndpoint { get; init; }

    public string? RegistrationEndpoint { get; init; }

    public string? RevocationEndpoint { get; init; }

    public string? DeviceAuthorizationEndpoint { get; init; }

    public IReadOnlyList<string>? TokenEndpointAuthMethods { get; init; }

    public IReadOnlyList<string>? ScopesSupported { get; init; }

    public IReadOnlyList<string>? GrantTypesSupported { get; init; }

    /// <summary>The supported proof algorithms (RFC 9449 section 5.1); null if not specified.</summary>
    public IReadOnlyList<string>? DPoPAlgorithms { get; init; }

    /// <summary>The grant profiles of <c>authorization_grant_profiles_supported</c> (draft-ietf-oauth-identity-assertion-authz-grant).</summary>
    public IReadOnlyList<string>? GrantProfiles { get; init; }

    /// <summary>
    /// The token types that an identity provider issues in an exchange, from <c>identity_chaining_requested_token_types_supported</c>; null if not
    /// specified.
    /// </summary>
    public IReadOnlyList<string>? RequestedTokenTypes { get; init; }

    /// <summary>Whether the issuer declares that it accepts an ID-JAG from an identity provider.</summary>
    public bool IdJagSupported => GrantProfiles?.Contains(IdJagProfile) == true && GrantTypesSupported?.Contains(JwtBearer) == true;

    /// <summary>Whether the issuer supports PKCE with S256 (RFC 7636). Unknown for default endpoints.</summary>
    public bool SupportsPkce { get; init; }

    /// <summary>Whether every authorization response has an <c>iss</c> parameter (RFC 9207 section 3).</summary>
    public bool AuthorizationResponseIssSupported { get; init; }

    /// <summary>Whether the issuer accepts the URL of a client metadata document as client id.</summary>
    public bool ClientIdMetadataDocumentSupported { get; init; }

    /// <summary>
    /// Whether these are the default endpoints of MCP revision 2025-03-26, for an issuer without metadata (rule 39 of docs/rules.md).
    /// </summary>
    public bool IsLegacyDefault { get; init; }

    /// <summary>
    /// Finds the metadata of an issuer, in the order of rules 4 and 5. The metadata must name exactly this issuer. The metadata of Entra ID is built
    /// in, see <see cref="EntraIssuer"/>.
    /// </summary>
    /// <exception cref="McpAuthException">MetadataInvalid, IssuerMismatch, UnsafeEndpoint, ServerUnreachable.</exception>
    public static Task<AuthorizationServerMetadata> FindAsync(RestrictedHttpClient http, UrlPolicy policy, string issuer,
        CancellationToken cancellationToken) =>
        FindAsync(http, policy, issuer, null, cancellationToken);

    /// <summary>Finds the metadata of an issuer.</summary>
    /// <param name="http">The client for the requests.</param>
    /// <param name="policy">Which URLs may be visited.</param>
    /// <param name="issuer">The issuer identifier.</param>
    /// <param name="naming">Returns the step that sets another issuer identifier; null if there is no such step.</param>
    /// <param name="cancellationToken">Cancels the requests.</param>
    /// <exception cref="McpAuthException">MetadataInvalid, IssuerMismatch, UnsafeEndpoint, ServerUnreachable.</exception>
    internal static async Task<AuthorizationServerMetadata> FindAsync(RestrictedHttpClient http, UrlPolicy policy, string issuer,
        Func<string, NextStep>? naming, CancellationToken cancellationToken)
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
                "The issuer identifier has a query or a fragment, which RFC 8414 forbids.");
        }
        return await FindAsync(http, policy, MetadataUrls(identifier), name => name == issuer, issuer, naming, cancellationToken)
            .ConfigureAwait(false)
            ?? throw new McpAuthException(ErrorReason.MetadataInvalid,
                $"The issuer {UntrustedText.Sanitize(issuer)} does not publish metadata.");
    }

    /// <summary>
    /// Finds metadata at the root of the server's origin, for servers of MCP revision 2025-03-26 (rule 39). There is no given identifier to compare
    /// with, so the origin with and without a trailing slash is accepted.
    /// </summary>
    /// <returns>The metadata; null if it does not exist.</returns>
    public static Task<AuthorizationServerMetadata?> FindAtRootAsync(RestrictedHttpClient http, UrlPolicy policy, Uri server,
        CancellationToken cancellationToken)
    {
        var origin = server.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);
        return FindAsync(http, policy, [origin + "/.well-known/oauth-authorization-server"],
            name => name == origin || name == origin + "/", origin, null, cancellationToken);
    }

    /// <summary>Returns the default endpoints of MCP revision 2025-03-26 at the server's origin (rule 39). The user must have allowed them.</summary>
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

    private static IEnumerable<string> MetadataUrls(Uri issuer)
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

    private static async Task<AuthorizationServerMetadata?> FindAsync(RestrictedHttpClient http, UrlPolicy policy, IEnumerable<string> urls,
        Func<string, bool> isIssuer, string issuer, Func<string, NextStep>? naming, CancellationToken cancellationToken)
    {
        McpAuthException? failure = null;
        foreach (var url in urls)
        {
            try
            {
                var document = await http.GetAsync(url, "The issuer's metadata", cancellationToken).ConfigureAwait(false);
                if (document.Status == 200)
                {
                    return Parse(document, policy, isIssuer, issuer, naming);
                }
                if (document.Status != 404)
                {
                    failure = MoreSevere(failure, new McpAuthException(ErrorReason.MetadataInvalid,
                        $"The issuer {UntrustedText.Sanitize(issuer)} returned status {document.Status} for its metadata.")
                    { StatusCode = document.Status });
                }
            }
            catch (McpAuthException e) when (e.Reason is ErrorReason.MetadataInvalid or ErrorReason.IssuerMismatch or ErrorReason.UnsafeEndpoint)
            {
                failure = MoreSevere(failure, e);
            }
        }
        return failure is null ? null : throw failure;
    }

    /// <summary>Prefers an issuer mismatch over other failures.</summary>
    private static McpAuthException MoreSevere(McpAuthException? first, McpAuthException next) =>
        first is null || (next.Reason == ErrorReason.IssuerMismatch && first.Reason != ErrorReason.IssuerMismatch)
            ? next : first;

    /// <summary>Whether the name is the issuer identifier without the last segments of its path. The same host may well be that issuer.</summary>
    private static bool IsWithoutPath(string named, string issuer) => UrlPolicy.TryParse(named, out var uri) && uri.Host.Length > 0
        && uri.Query.Length == 0 && uri.Fragment.Length == 0 && issuer.StartsWith(named.TrimEnd('/') + "/", StringComparison.Ordinal);

    private static AuthorizationServerMetadata Parse(HttpDocument response, UrlPolicy policy, Func<string, bool> isIssuer, string issuer,
        Func<string, NextStep>? naming)
    {
        var document = MetadataDocument.Parse(response, "The issuer's metadata");
        var named = document.Required("issuer");
        if (!isIssuer(named))
        {
            throw new McpAuthException(ErrorReason.IssuerMismatch,
                $"The metadata of {UntrustedText.Sanitize(issuer)} names another issuer, {UntrustedText.Sanitize(named)}.",
                // The most common mistakes; Google's servers make the first. By rule 6 every slash counts unless the user decides otherwise.
                naming is not null && named.TrimEnd('/') == issuer.TrimEnd('/')
                    ? $"The two differ only in the trailing slash. If you trust the second: {naming(named)}"
                    : naming is not null && IsWithoutPath(named, issuer)
                    ? $"The second lacks the end of the path. If you trust it: {naming(named)}"
                    : (Remedy)"Report this to the operator of the server. A sign-in could send your token to an attacker.");
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

using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>
/// One authorization request with PKCE (RFC 6749 section 4.1, RFC 7636). It holds what is needed to validate the response and to
/// exchange the code (rule 16 of docs/rules.md).
/// </summary>
internal sealed class AuthorizationCodeRequest
{
    private readonly AuthorizationServerMetadata _issuer;
    private readonly ClientIdentity _client;
    private readonly string _verifier = Random();
    private readonly string _redirectUri;
    private readonly string? _resource;

    // Binds the ID token to this request (OpenID Connect Core section 3.1.2.1).
    private readonly string? _nonce;
    private readonly IReadOnlyList<string> _scopes;
    private readonly SenderConstraint _constraint;

    /// <summary>Creates a request with a new state and a new verifier.</summary>
    /// <remarks>
    /// <paramref name="resource"/> is null at an identity provider, which is asked for an ID token, and at an issuer that refuses the parameter.
    /// <paramref name="added"/> are the parameters of the user, checked by
    /// <see cref="AuthorizeParameters.Check"/>. Of the parameters that Mcpsm sets, they can replace only <c>prompt</c>.
    /// </remarks>
    public AuthorizationCodeRequest(AuthorizationServerMetadata issuer, ClientIdentity client, string redirectUri, string? resource,
        IReadOnlyList<string> scopes, SenderConstraint constraint, UrlPolicy policy, IReadOnlyDictionary<string, string>? added = null,
        bool wantsIdToken = false)
    {
        _issuer = issuer;
        _client = client;
        _redirectUri = redirectUri;
        _resource = resource;
        _scopes = scopes;
        _constraint = constraint;
        var endpoint = policy.Check(issuer.AuthorizationEndpoint, "The authorization endpoint");
        var parameters = new Dictionary<string, string>(added ?? AuthorizeParameters.None, StringComparer.Ordinal)
        {
            ["response_type"] = "code",
            ["client_id"] = client.Id,
            ["redirect_uri"] = redirectUri,
            ["state"] = State,
            ["code_challenge"] = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(_verifier))),
            ["code_challenge_method"] = "S256",
        };
        if (constraint.Key is { } key)
        {
            // RFC 9449 section 10: this binds the code to the key, too.
            parameters["dpop_jkt"] = key.Thumbprint();
        }
        if (resource is not null)
        {
            parameters["resource"] = resource;
        }
        if (wantsIdToken)
        {
            parameters["nonce"] = _nonce = Random();
        }
        if (scopes.Count > 0)
        {
            parameters["scope"] = Discovery.Scopes.Join(scopes);
        }
        if (scopes.Contains(Discovery.Scopes.Offline))
        {
            // OpenID Connect Core section 11: without prompt=consent, the issuer ignores offline_access.
            parameters.TryAdd("prompt", "consent");
        }
        Url = EndpointUrl.Add(endpoint, parameters);
    }

    /// <summary>The URL to open in the browser.</summary>
    public Uri Url { get; }

    /// <summary>A random value that identifies this request.</summary>
    public string State { get; } = Random();

    /// <summary>Validates a response whose <c>state</c> matches. Checks <c>iss</c> before anything else (rules 17 to 19).</summary>
    /// <returns>The authorization code.</returns>
    /// <exception cref="McpAuthException">IssuerMismatch, AuthorizationDenied, ProtocolViolation, …</exception>
    public string Validate(IReadOnlyDictionary<string, string> answer)
    {
        var responseIssuer = answer.GetValueOrDefault("iss");
        if (responseIssuer is null ? _issuer.AuthorizationResponseIssSupported : responseIssuer != _issuer.Issuer)
        {
            throw FromAnother(responseIssuer);
        }
        if (answer.TryGetValue("error", out var error))
        {
            throw Denied(error, OAuthErrorText.Read(answer));
        }
        return answer.GetValueOrDefault("code") is { Length: > 0 } code ? code
            : throw new McpAuthException(ErrorReason.ProtocolViolation, "The issuer's response has neither a code nor an error."
                + (OAuthErrorText.Read(answer) is { } message ? $" It says: {UntrustedText.Sentence(message)}" : ""));
    }

    /// <summary>Exchanges the code for tokens (RFC 6749 section 4.1.3). A code can be used only once.</summary>
    public async Task<TokenSet> ExchangeAsync(RestrictedHttpClient http, string code, TimeProvider time, CancellationToken cancellationToken)
    {
        using var request = new AuthorizationCodeTokenRequest
        {
            Address = _issuer.TokenEndpoint,
            Code = code,
            RedirectUri = _redirectUri,
            CodeVerifier = _verifier,
            Resource = _resource is null ? [] : [_resource],
        };
        var tokens = await _client.SendAsync(request, http.Protocol.RequestAuthorizationCodeTokenAsync, _issuer.Issuer, _constraint, _scopes, time,
            [code, _verifier], cancellationToken).ConfigureAwait(false);
        if (_nonce is not null)
        {
            Grants.IdTokenValidator.Validate(tokens.IdToken, _issuer.Issuer, _client.Id, _nonce, time.GetUtcNow());
        }
        return tokens;
    }

    internal static McpAuthException FromAnother(string? responseIssuer) => new(ErrorReason.IssuerMismatch, responseIssuer is null
        ? "The response does not name its issuer, although the metadata of the issuer promises that (RFC 9207)."
        : "The response is from another issuer than the request was sent to.",
        "Do not sign in again until the operator of the server has explained this.");

    internal static McpAuthException Denied(string error, string? description)
    {
        var code = UntrustedText.Sanitize(error);
        var message = UntrustedText.Sanitize(description) is { Length: > 0 } text ? $"{code}: {text}" : code;
        var reason = error switch
        {
            "invalid_scope" => ErrorReason.InsufficientScope,
            "temporarily_unavailable" or "server_error" => ErrorReason.ServerUnreachable,
            "invalid_client" or "unauthorized_client" => ErrorReason.ClientRejected,
            _ => ErrorReason.AuthorizationDenied,
        };
        return new McpAuthException(reason, $"The issuer denied the request: {UntrustedText.Sentence(message)}") { OAuthError = code };
    }

    /// <summary>Returns 256 random bits as 43 characters, for a state, a nonce or a verifier (RFC 7636 section 4.1).</summary>
    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}

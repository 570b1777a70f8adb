using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>
/// One authorization request (RFC 6749 section 4.1 with PKCE, RFC 7636): what must be remembered of it until its
/// answer is validated and its code spent (rule 16 of docs/rules.md).
/// </summary>
public sealed class AuthorizationCodeRequest
{
    private readonly AuthorizationServerMetadata _issuer;
    private readonly ClientIdentity _client;
    private readonly string _verifier = Random();
    private readonly string _redirectUri;
    private readonly string? _resource;

    // Ties the ID token to this request (OpenID Connect Core section 3.1.2.1).
    private readonly string? _nonce;
    private readonly IReadOnlyList<string> _scopes;
    private readonly SenderConstraint _constraint;

    /// <param name="resource">Null at an identity provider, which is asked who signs in and not for a server.</param>
    /// <param name="added">What the user adds, checked (<see cref="AuthorizeParameters.Check"/>); it may replace <c>prompt</c> alone of ours.</param>
    public AuthorizationCodeRequest(AuthorizationServerMetadata issuer, ClientIdentity client, string redirectUri, string? resource,
        IReadOnlyList<string> scopes, SenderConstraint constraint, UrlPolicy policy, IReadOnlyDictionary<string, string>? added = null)
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
            // RFC 9449 section 10: then the code too is of no use without the key.
            parameters["dpop_jkt"] = key.Thumbprint();
        }
        if (resource is not null)
        {
            parameters["resource"] = resource;
        }
        else
        {
            parameters["nonce"] = _nonce = Random();
        }
        if (scopes.Count > 0)
        {
            parameters["scope"] = Discovery.Scopes.Join(scopes);
        }
        if (scopes.Contains(Discovery.Scopes.Offline))
        {
            // OpenID Connect Core 11: without it the scope is ignored.
            parameters.TryAdd("prompt", "consent");
        }
        Url = EndpointUrl.Add(endpoint, parameters);
    }

    /// <summary>Where a person is sent.</summary>
    public Uri Url { get; }

    /// <summary>Unpredictable and of this request alone.</summary>
    public string State { get; } = Random();

    /// <summary>
    /// Validates an answer whose <c>state</c> is this request's, <c>iss</c> before all else (rules 17 to 19).
    /// </summary>
    /// <returns>The code.</returns>
    /// <exception cref="McpAuthException">IssuerMismatch, AuthorizationDenied, ProtocolViolation, …</exception>
    public string Validate(IReadOnlyDictionary<string, string> answer)
    {
        var named = answer.GetValueOrDefault("iss");
        if (named is null ? _issuer.AuthorizationResponseIssSupported : named != _issuer.Issuer)
        {
            throw FromAnother(named);
        }
        if (answer.TryGetValue("error", out var error))
        {
            throw Denied(error, OAuthErrorText.Read(answer));
        }
        return answer.GetValueOrDefault("code") is { Length: > 0 } code ? code
            : throw new McpAuthException(ErrorReason.ProtocolViolation, OAuthErrorText.Read(answer) is { } said
                ? $"The issuer's answer has neither a code nor an error, and says: {UntrustedText.Sentence(said)}" : "The issuer's answer has neither a code nor an error.");
    }

    /// <summary>Spends the code (RFC 6749 section 4.1.3).</summary>
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

    internal static McpAuthException FromAnother(string? named) => new(ErrorReason.IssuerMismatch, named is null
        ? "The answer does not say which issuer it is from, though the issuer promises to."
        : "The answer is from another issuer than the one that was asked.",
        "Do not repeat the sign-in before whoever runs the server has explained this.");

    internal static McpAuthException Denied(string error, string? description)
    {
        var code = UntrustedText.Sanitize(error);
        var words = UntrustedText.Sanitize(description) is { Length: > 0 } said ? $"{code}: {said}" : code;
        var reason = error switch
        {
            "invalid_scope" => ErrorReason.InsufficientScope,
            "temporarily_unavailable" or "server_error" => ErrorReason.ServerUnreachable,
            "invalid_client" or "unauthorized_client" => ErrorReason.ClientRejected,
            _ => ErrorReason.AuthorizationDenied,
        };
        return new McpAuthException(reason, $"The issuer said no: {UntrustedText.Sentence(words)}") { OAuthError = code };
    }

    /// <summary>256 bits as 43 characters, which serve as state and as verifier (RFC 7636 section 4.1).</summary>
    private static string Random() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));
}

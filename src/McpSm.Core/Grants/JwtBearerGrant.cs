using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpSm.Core.Errors;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>
/// The JWT bearer grant (RFC 7523 section 2.1), with an assertion from a signer that the issuer trusts (rules 34 and 36 of docs/rules.md).
/// The request is sent once. If it is refused, it is neither repeated nor sent in another way.
/// </summary>
internal static class JwtBearerGrant
{
    /// <summary>Requests an access token.</summary>
    /// <remarks>
    /// The id of <paramref name="client"/> is empty if the issuer knows no client. The request then omits it (RFC 7523 section 3.1).
    /// <paramref name="assertion"/> is a bearer secret, and is sent only to this issuer.
    /// </remarks>
    /// <exception cref="McpAuthException">AssertionRejected, ClientRejected, InsufficientScope, TokenResponseInvalid, …</exception>
    public static async Task<TokenSet> RequestAsync(RestrictedHttpClient http, string tokenEndpoint, string issuer, ClientIdentity client,
        string assertion, string? resource, IReadOnlyList<string> scopes, SenderConstraint constraint, TimeProvider time,
        CancellationToken cancellationToken)
    {
        using var request = new TokenRequest
        {
            Address = tokenEndpoint,
            GrantType = OidcConstants.GrantTypes.JwtBearer,
        };
        request.Parameters.Add(OidcConstants.TokenRequest.Assertion, assertion);
        request.Parameters.AddOptional(OidcConstants.TokenRequest.Resource, resource);
        if (scopes.Count > 0)
        {
            request.Parameters.Add(OidcConstants.TokenRequest.Scope, Discovery.Scopes.Join(scopes));
        }
        try
        {
            var tokens = await client.Proven.SendAsync(request, http.Protocol.RequestTokenAsync, issuer, constraint, scopes, time, [assertion],
                cancellationToken).ConfigureAwait(false);
            // RFC 7521 section 4.1: use an assertion for each new token. A refresh token is not stored, because it would outlive the trust
            // in the signer.
            return tokens with { RefreshToken = null };
        }
        catch (McpAuthException e) when (e.OAuthError == "invalid_grant")
        {
            throw new McpAuthException(ErrorReason.AssertionRejected, "The issuer did not accept the assertion. " + e.Message, innerException: e)
            {
                OAuthError = e.OAuthError,
                StatusCode = e.StatusCode,
            };
        }
    }
}

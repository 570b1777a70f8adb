using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>
/// The JWT bearer grant (RFC 7523 section 2.1): somebody whom the issuer trusts has signed who is asking (rules 34 and 36 of docs/rules.md).
/// One request, once: what is refused is neither repeated nor tried another way.
/// </summary>
public static class JwtBearerGrant
{
    /// <param name="client">Its id is empty if the issuer knows no client: RFC 7523 section 3.1 then leaves it out.</param>
    /// <param name="assertion">The JWT. It is a bearer secret, and is shown to this issuer alone.</param>
    /// <exception cref="McpAuthException">AssertionRejected, ClientRejected, InsufficientScope, TokenResponseInvalid, …</exception>
    public static async Task<TokenSet> RequestAsync(RestrictedHttpClient http, string tokenEndpoint, string issuer, ClientIdentity client,
        string assertion, string resource, IReadOnlyList<string> scopes, SenderConstraint constraint, TimeProvider time,
        CancellationToken cancellationToken)
    {
        using var request = new TokenRequest
        {
            Address = tokenEndpoint,
            GrantType = OidcConstants.GrantTypes.JwtBearer,
        };
        request.Parameters.Add(OidcConstants.TokenRequest.Assertion, assertion);
        request.Parameters.Add(OidcConstants.TokenRequest.Resource, resource);
        if (scopes.Count > 0)
        {
            request.Parameters.Add(OidcConstants.TokenRequest.Scope, Discovery.Scopes.Join(scopes));
        }
        try
        {
            var tokens = await client.Proven.SendAsync(request, http.Protocol.RequestTokenAsync, issuer, constraint, scopes, time, [assertion], cancellationToken)
                .ConfigureAwait(false);
            // RFC 7521 section 4.1: what is to come after is had with an assertion; a refresh token, which would outlive
            // the trust in whoever signs them, is not kept.
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

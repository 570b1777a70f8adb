using Duende.IdentityModel.Client;
using McpSm.Core.Errors;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>Revokes tokens at their issuer (RFC 7009).</summary>
internal static class RevocationRequest
{
    /// <summary>Revokes the refresh token, then the access token (rule 38 of docs/rules.md). If the first fails, the second is still sent.</summary>
    /// <returns>Why the revocation failed; null if the issuer confirmed it.</returns>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public static async Task<string?> RevokeAsync(RestrictedHttpClient http, string endpoint, string issuer, ClientIdentity client,
        string? refreshToken, string? accessToken, TimeProvider time, CancellationToken cancellationToken)
    {
        endpoint = http.Endpoint(endpoint, "The revocation endpoint");
        var first = refreshToken is null ? null
            : await RevokeOneAsync(http, endpoint, issuer, client, refreshToken, "refresh_token", time, cancellationToken).ConfigureAwait(false);
        var second = accessToken is null ? null
            : await RevokeOneAsync(http, endpoint, issuer, client, accessToken, "access_token", time, cancellationToken).ConfigureAwait(false);
        return first ?? second;
    }

    private static async Task<string?> RevokeOneAsync(RestrictedHttpClient http, string endpoint, string issuer, ClientIdentity client,
        string token, string hint, TimeProvider time, CancellationToken cancellationToken)
    {
        using var request = new TokenRevocationRequest { Address = endpoint, Token = token, TokenTypeHint = hint };
        client.Sign(request, issuer, time);
        using var response = await http.Protocol.RevokeTokenAsync(request, cancellationToken).ConfigureAwait(false);
        if (!TokenSet.IsFailure(response))
        {
            return null;
        }
        var failure = TokenSet.Refused(response, [token, .. client.Proofs]);
        // RFC 7009 section 2.2.1: an issuer that cannot revoke access tokens returns this error. They end with the refresh token.
        return failure.OAuthError == "unsupported_token_type" ? null : failure.Message;
    }
}

using Duende.IdentityModel.Client;
using McpSm.Core.Errors;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>Telling the issuer that tokens are dead (RFC 7009).</summary>
public static class RevocationRequest
{
    /// <summary>Revokes the refresh token, then the access token (rule 38 of docs/rules.md). Each is tried whatever the other did.</summary>
    /// <returns>Why it failed, in words for people; null where the issuer confirmed.</returns>
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
        // RFC 7009 section 2.2.1: an issuer that cannot revoke access tokens says so; the refresh token's end is theirs.
        if (!TokenSet.IsFailure(response))
        {
            return null;
        }
        var failure = TokenSet.Refused(response, [token, .. client.Proofs]);
        return failure.OAuthError == "unsupported_token_type" ? null : failure.Message;
    }
}

using Duende.IdentityModel.Client;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;

namespace McpSm.Core.Grants;

/// <summary>Renewal (RFC 6749 section 6). A refresh token may be single-use: this sends one request, once.</summary>
public static class RefreshTokenGrant
{
    /// <param name="resource">What the tokens are for; null at an identity provider, where they are for no server.</param>
    /// <exception cref="McpAuthException">
    /// RefreshTokenRejected; else with <see cref="McpAuthException.OutcomeUnknown"/> where the token may be spent.
    /// </exception>
    public static async Task<TokenSet> RenewAsync(SafeHttp http, string tokenEndpoint, string issuer,
        ClientIdentity client, string refreshToken, string? resource, IReadOnlyList<string> scopes, TokenBinding binding, TimeProvider time,
        CancellationToken cancellationToken)
    {
        using var request = new RefreshTokenRequest
        {
            Address = tokenEndpoint,
            RefreshToken = refreshToken,
            Resource = resource is null ? [] : [resource],
        };
        try
        {
            var tokens = await client.SendAsync(request, http.Protocol.RequestRefreshTokenAsync, issuer, binding, scopes, time, [refreshToken], cancellationToken)
                .ConfigureAwait(false);
            // Rule 23: the old one stays when none comes back.
            return tokens with { RefreshToken = tokens.RefreshToken ?? refreshToken };
        }
        catch (McpAuthException e) when (IsRejection(e))
        {
            throw Rejected(e);
        }
    }

    internal static bool IsRejection(McpAuthException e) => e.OAuthError is "invalid_grant" or "invalid_client" or "unauthorized_client";

    internal static McpAuthException Rejected(McpAuthException e) => new(ErrorReason.RefreshTokenRejected,
        "The issuer no longer accepts the refresh token. " + e.Message, innerException: e)
    {
        OAuthError = e.OAuthError,
        StatusCode = e.StatusCode,
    };
}

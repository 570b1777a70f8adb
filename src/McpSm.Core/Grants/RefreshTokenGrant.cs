using Duende.IdentityModel.Client;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>Renewal (RFC 6749 section 6). A refresh token may be single-use: this sends one request, once.</summary>
public static class RefreshTokenGrant
{
    /// <param name="resource">What the tokens are for; null at an identity provider, where they are for no server.</param>
    /// <exception cref="McpAuthException">
    /// RefreshTokenRejected; else with <see cref="McpAuthException.OutcomeUnknown"/> where the token may be spent.
    /// </exception>
    public static async Task<TokenSet> RenewAsync(RestrictedHttpClient http, string tokenEndpoint, string issuer,
        ClientIdentity client, string refreshToken, string? resource, IReadOnlyList<string> scopes, SenderConstraint constraint, TimeProvider time,
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
            var tokens = await client.SendAsync(request, http.Protocol.RequestRefreshTokenAsync, issuer, constraint, scopes, time, [refreshToken], cancellationToken)
                .ConfigureAwait(false);
            // Rule 23 of docs/rules.md: the old one stays when none comes back.
            return tokens with { RefreshToken = tokens.RefreshToken ?? refreshToken };
        }
        catch (McpAuthException e) when (IsRejection(e))
        {
            throw Rejected(e);
        }
    }

    internal static bool IsRejection(McpAuthException e) => e.OAuthError == "invalid_grant" || IsOfClient(e);

    /// <summary>Whether it is the client that the issuer does not take (RFC 6749 section 5.2): it looks at that before anything else.</summary>
    internal static bool IsOfClient(McpAuthException e) => e.OAuthError is "invalid_client" or "unauthorized_client";

    /// <summary>The rejection as one of the client alone, where its secret can be replaced and the refresh token is kept for then.</summary>
    /// <param name="step">The step that gives the secret.</param>
    internal static McpAuthException ClientRejected(McpAuthException rejected, NextStep step) => new(ErrorReason.ClientRejected,
        $"The issuer does not accept this client, and did not look at the refresh token, which is kept. {rejected.InnerException?.Message}".TrimEnd(),
        $"If its secret has changed: {step}", rejected)
    {
        OAuthError = rejected.OAuthError,
        StatusCode = rejected.StatusCode,
    };

    internal static McpAuthException Rejected(McpAuthException e) => new(ErrorReason.RefreshTokenRejected,
        "The issuer no longer accepts the refresh token. " + e.Message, innerException: e)
    {
        OAuthError = e.OAuthError,
        StatusCode = e.StatusCode,
    };
}

using Duende.IdentityModel.Client;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Grants;

/// <summary>The refresh token grant (RFC 6749 section 6). A refresh token may be usable only once, so the request is sent once.</summary>
internal static class RefreshTokenGrant
{
    /// <summary>Requests new tokens.</summary>
    /// <remarks><paramref name="resource"/> is the resource of the tokens; null at an identity provider.</remarks>
    /// <exception cref="McpAuthException">
    /// RefreshTokenRejected. Other reasons have <see cref="McpAuthException.OutcomeUnknown"/> set if the refresh token may be spent.
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
            var tokens = await client.SendAsync(request, http.Protocol.RequestRefreshTokenAsync, issuer, constraint, scopes, time, [refreshToken],
                cancellationToken)
                .ConfigureAwait(false);
            // Rule 23 of docs/rules.md: without a new refresh token in the response, the old one stays valid.
            return tokens with { RefreshToken = tokens.RefreshToken ?? refreshToken };
        }
        catch (McpAuthException e) when (IsRejection(e))
        {
            throw Rejected(e);
        }
    }

    internal static bool IsRejection(McpAuthException e) => e.OAuthError == "invalid_grant" || IsOfClient(e);

    /// <summary>Returns whether the issuer refused the client (RFC 6749 section 5.2). An issuer checks the client before anything else.</summary>
    internal static bool IsOfClient(McpAuthException e) => e.OAuthError is "invalid_client" or "unauthorized_client";

    /// <summary>Creates the error for a refused client whose secret can be replaced. The refresh token stays stored.</summary>
    /// <remarks><paramref name="step"/> is the step that replaces the secret.</remarks>
    internal static McpAuthException ClientRejected(McpAuthException rejected, NextStep step) => new(ErrorReason.ClientRejected,
        $"The issuer does not accept this client. It did not check the refresh token, which Mcpsm keeps. {rejected.InnerException?.Message}".TrimEnd(),
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

using McpSm.Core.Errors;

namespace McpSm.Core.Grants;

/// <summary>
/// Whether an issuer's refusal could be of a client that it has forgotten. Only some issuers answer <c>invalid_client</c> then
/// (RFC 6749 section 5.2); others use an error of their own, or none.
/// </summary>
internal static class DoubtfulRefusal
{
    // Errors of a person, of the request or of the moment. They say nothing of the client.
    private static readonly string[] OtherErrors =
    [
        "access_denied", "authorization_declined", "authorization_pending", "expired_token", "slow_down", "invalid_scope", "invalid_target",
        "use_dpop_nonce", "invalid_dpop_proof", "server_error", "temporarily_unavailable", "login_required", "interaction_required",
        "consent_required", "account_selection_required",
    ];

    /// <summary>True for an error that the browser brought back, and for a client error of an endpoint.</summary>
    public static bool Is(McpAuthException e) =>
        (e.StatusCode is null ? e.OAuthError is not null : e.StatusCode is >= 400 and < 500 and not (407 or 408 or 425 or 429))
        && !OtherErrors.Contains(e.OAuthError);
}

using McpSm.Core.Errors;

namespace McpSm.Core.Grants;

/// <summary>
/// Detects a refusal that may mean that the issuer has forgotten the client. Only some issuers then return <c>invalid_client</c>
/// (RFC 6749 section 5.2); others return another error, or no error code.
/// </summary>
internal static class DoubtfulRefusal
{
    // These errors are about the person, the request or a temporary problem, and not about the client.
    private static readonly string[] OtherErrors =
    [
        "access_denied", "authorization_declined", "authorization_pending", "expired_token", "slow_down", "invalid_scope", "invalid_target",
        "use_dpop_nonce", "invalid_dpop_proof", "server_error", "temporarily_unavailable", "login_required", "interaction_required",
        "consent_required", "account_selection_required",
    ];

    /// <summary>Returns true for an error in a redirect, and for a client error of an endpoint, unless it has one of the codes above.</summary>
    public static bool Is(McpAuthException e) =>
        (e.StatusCode is null ? e.OAuthError is not null : e.StatusCode is >= 400 and < 500 and not (407 or 408 or 425 or 429))
        && !OtherErrors.Contains(e.OAuthError);
}

using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Servers;

namespace McpSm.Core.HttpAuthentication;

/// <summary>
/// What it means that a server refused the credential it was shown (401 Unauthorized). Everything that shows a credential to a
/// server takes the state and the remedy from here.
/// </summary>
internal static class CredentialRefusal
{
    /// <summary>Whether a request failed because the server refused its credential, or because the credential could not be renewed for it.</summary>
    public static bool IsReportedBy(McpAuthException e) =>
        e.Reason is ErrorReason.AuthenticationRequired or ErrorReason.RefreshTokenRejected or ErrorReason.TokenRejected;

    /// <summary>The state after the refusal, and what to do.</summary>
    /// <param name="status">The status by the facts, which know nothing of the refusal.</param>
    /// <param name="wasRenewed">Whether a renewal was tried and did not help.</param>
    public static (AuthState State, NextStep Next) Evaluate(McpServer server, McpAuthStatus status, bool wasRenewed) =>
        (status.Kind == CredentialKind.None ? AuthState.NotAuthenticated : AuthState.Expired,
            status.Kind == CredentialKind.Bearer ? new SetTokenStep(server)
            : !wasRenewed && status is { CanRenew: true, RenewalRefusedAt: null } ? new RefreshStep(server)
            : CredentialRemedy.ForNewCredential(server));
}

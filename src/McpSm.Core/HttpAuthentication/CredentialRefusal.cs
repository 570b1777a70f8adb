using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Servers;

namespace McpSm.Core.HttpAuthentication;

/// <summary>
/// Determines the state and the remedy after a server refused a credential (401 Unauthorized). All code that sends a credential to a server
/// uses it.
/// </summary>
internal static class CredentialRefusal
{
    /// <summary>Returns whether a request failed because the server refused its credential, or because the credential could not be renewed.</summary>
    public static bool IsReportedBy(McpAuthException e) =>
        e.Reason is ErrorReason.AuthenticationRequired or ErrorReason.RefreshTokenRejected or ErrorReason.TokenRejected;

    /// <summary>Returns the state after the refusal, and the next step.</summary>
    /// <param name="server">The server.</param>
    /// <param name="status">The status in the index, which does not include the refusal.</param>
    /// <param name="wasRenewed">Whether a renewal was tried and did not help.</param>
    public static (AuthState State, NextStep Next) Evaluate(McpServer server, McpAuthStatus status, bool wasRenewed) =>
        (status.Kind == CredentialKind.None ? AuthState.NotAuthenticated : AuthState.Expired,
            status.Kind == CredentialKind.Bearer ? new SetTokenStep(server)
            : !wasRenewed && status is { CanRenew: true, RenewalRefusedAt: null } ? new RefreshStep(server)
            : CredentialRemedy.ForNewCredential(server));
}

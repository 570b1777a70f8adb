using McpSm.Core.Errors;

namespace McpSm.Relay.SignIn;

/// <summary>The failures that a sign-in mends.</summary>
internal static class CredentialFailure
{
    public static bool IsIt(McpAuthException e) => e.Reason is ErrorReason.AuthenticationRequired or ErrorReason.InteractionRequired
        or ErrorReason.RefreshTokenRejected or ErrorReason.TokenRejected;
}

using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>A sign-in that did not fail.</summary>
/// <param name="VerificationFailure">Why the token could not be verified with the server; null if the server accepted it.</param>
public sealed record SignInResult(McpServer Server, McpAuthStatus Status, SignInOutcome Outcome, string? VerificationFailure = null)
{
    public bool IsOpenServer => Outcome == SignInOutcome.NeedsNone;
}

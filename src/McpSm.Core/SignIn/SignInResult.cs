using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>A sign-in that did not fail.</summary>
/// <param name="VerificationFailure">Why the server could not be asked whether it takes the token; null where it took it.</param>
public sealed record SignInResult(McpServer Server, McpAuthStatus Status, SignInOutcome Outcome, string? VerificationFailure = null)
{
    public bool IsOpenServer => Outcome == SignInOutcome.NeedsNone;
}

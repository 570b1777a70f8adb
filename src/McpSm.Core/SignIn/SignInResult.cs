using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>A sign-in that did not fail.</summary>
/// <param name="Server">The server as the catalog has it now.</param>
/// <param name="Status">The status after the sign-in.</param>
/// <param name="Outcome">How the sign-in ended.</param>
/// <param name="VerificationFailure">Why the token could not be verified with the server; null if the server accepted it.</param>
public sealed record SignInResult(McpServer Server, McpAuthStatus Status, SignInOutcome Outcome, string? VerificationFailure = null)
{
    public bool IsOpenServer => Outcome == SignInOutcome.NeedsNone;
}

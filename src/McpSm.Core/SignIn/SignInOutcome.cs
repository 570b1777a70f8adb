namespace McpSm.Core.SignIn;

/// <summary>The outcome of a sign-in that did not fail.</summary>
public enum SignInOutcome
{
    /// <summary>A person, a client or a workload signed in.</summary>
    SignedIn,
    /// <summary>The stored token was renewed.</summary>
    Renewed,
    /// <summary>The stored token is valid.</summary>
    Valid,
    /// <summary>The server needs no credential.</summary>
    NeedsNone,
}

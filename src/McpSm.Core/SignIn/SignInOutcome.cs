namespace McpSm.Core.SignIn;

/// <summary>How a sign-in ended, where it did not fail.</summary>
public enum SignInOutcome
{
    /// <summary>A person, a client of its own or a workload signed in.</summary>
    SignedIn,
    /// <summary>What was there was renewed.</summary>
    Renewed,
    /// <summary>What was there is valid.</summary>
    Valid,
    /// <summary>The server answers without a credential.</summary>
    NeedsNone,
}

namespace McpSm.Core.HttpAuthentication;

/// <summary>What one request has done so far to be let in.</summary>
internal sealed class RequestAttempt
{
    public bool Renewed { get; set; }
    public bool SignedIn { get; set; }
    public int StepUps { get; set; }
}

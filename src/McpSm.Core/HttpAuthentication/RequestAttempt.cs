namespace McpSm.Core.HttpAuthentication;

/// <summary>What a handler has done so far for one request.</summary>
internal sealed class RequestAttempt
{
    public bool Renewed { get; set; }
    public bool SignedIn { get; set; }
    public int StepUps { get; set; }
}

namespace McpSm.Core.Errors.Steps;

/// <summary>Reports a token that a server rejected.</summary>
public sealed record RejectTokenStep(ServerReference Server) : NextStep
{
    protected override string Describe => $"report the refused token of {Server}";
}

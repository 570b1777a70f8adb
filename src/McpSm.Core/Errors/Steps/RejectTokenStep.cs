namespace McpSm.Core.Errors.Steps;

/// <summary>Reports a token that a server rejected.</summary>
internal sealed record RejectTokenStep(ServerReference Server) : NextStep
{
    protected override string Describe => $"report the refused token of {Server}";
}

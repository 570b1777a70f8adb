namespace McpSm.Core.Errors.Steps;

/// <summary>Reports a token that a server refused.</summary>
public sealed record RejectTokenStep(ServerReference Server) : NextStep
{
    protected override string Describe => $"report the refused token of {Server}";
}

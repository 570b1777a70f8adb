namespace McpSm.Core.Errors.Steps;

/// <summary>Tests the connection to a server.</summary>
public sealed record TestServerStep(ServerReference Server) : NextStep
{
    protected override string Describe => $"test {Server}";
}

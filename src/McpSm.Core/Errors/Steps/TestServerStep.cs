namespace McpSm.Core.Errors.Steps;

/// <summary>Tests the connection to a server.</summary>
internal sealed record TestServerStep(ServerReference Server) : NextStep
{
    protected override string Describe => $"test {Server}";
}

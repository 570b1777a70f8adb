namespace McpSm.Core.Errors.Steps;

/// <summary>Signs in to a server.</summary>
internal sealed record SignInStep(ServerReference Server) : NextStep
{
    protected override string Describe => $"sign in to {Server}";
}

namespace McpSm.Core.Errors.Steps;

/// <summary>Drops the client that was registered for a server, so that the next sign-in registers another.</summary>
public sealed record ForgetClientStep(ServerReference Server) : NextStep
{
    protected override string Describe => $"drop the client of {Server}";
}

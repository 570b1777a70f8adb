namespace McpSm.Core.Errors.Steps;

/// <summary>Deletes the client registration for a server, so that the next sign-in registers a new client.</summary>
internal sealed record ForgetClientStep(ServerReference Server) : NextStep
{
    protected override string Describe => $"delete the client registration for {Server}";
}

namespace McpSm.Core.Errors.Steps;

/// <summary>Removes a server's credential.</summary>
public sealed record RevokeStep(ServerReference Server) : NextStep
{
    protected override string Describe => $"remove the credential of {Server}";
}

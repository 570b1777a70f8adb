namespace McpSm.Core.Errors.Steps;

/// <summary>Removes the credential of a server.</summary>
internal sealed record RevokeStep(ServerReference Server) : NextStep
{
    protected override string Describe => $"remove the credential of {Server}";
}

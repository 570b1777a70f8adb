namespace McpSm.Core.Errors.Steps;

/// <summary>Renews the token of a server.</summary>
internal sealed record RefreshStep(ServerReference Server) : NextStep
{
    protected override string Describe => $"renew the token of {Server}";
}

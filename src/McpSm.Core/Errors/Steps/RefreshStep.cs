namespace McpSm.Core.Errors.Steps;

/// <summary>Renews a server's token.</summary>
public sealed record RefreshStep(ServerReference Server) : NextStep
{
    protected override string Describe => $"renew the token of {Server}";
}

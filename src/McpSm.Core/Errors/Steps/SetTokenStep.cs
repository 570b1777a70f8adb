namespace McpSm.Core.Errors.Steps;

/// <summary>Stores a token that the user already has for a server.</summary>
internal sealed record SetTokenStep(ServerReference Server) : NextStep
{
    /// <summary>Whether the command must work without a prompt.</summary>
    public bool Unattended { get; init; }

    protected override string Describe => $"store a token for {Server}";
}

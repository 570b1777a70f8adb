namespace McpSm.Core.Errors.Steps;

/// <summary>Keeps a token that the user has for a server.</summary>
public sealed record SetTokenStep(ServerReference Server) : NextStep
{
    /// <summary>Whether it must work without a person at a prompt.</summary>
    public bool Unattended { get; init; }

    protected override string Describe => $"keep a token for {Server}";
}

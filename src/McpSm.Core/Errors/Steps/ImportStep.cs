namespace McpSm.Core.Errors.Steps;

/// <summary>Takes the plaintext secrets of a server into the vault.</summary>
/// <param name="Force">Whether they replace what the vault has.</param>
public sealed record ImportStep(ServerReference Server, bool Force = false) : NextStep
{
    protected override string Describe => $"take the secrets of {Server} into the vault";
}

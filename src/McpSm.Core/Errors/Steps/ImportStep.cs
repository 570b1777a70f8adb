namespace McpSm.Core.Errors.Steps;

/// <summary>Moves the plaintext secrets of a server into the vault.</summary>
/// <param name="Server">The server.</param>
/// <param name="Force">Whether to replace secrets that the vault already has.</param>
internal sealed record ImportStep(ServerReference Server, bool Force = false) : NextStep
{
    protected override string Describe => $"move the secrets of {Server} into the vault";
}

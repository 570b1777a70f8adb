namespace McpSm.Core.Errors.Steps;

/// <summary>Selects the vault that stores new credentials.</summary>
/// <param name="Vault">The name of the vault; null if the user chooses it.</param>
/// <param name="Move">Whether to move the existing credentials from other vaults.</param>
internal sealed record UseVaultStep(string? Vault = null, bool Move = false) : NextStep
{
    protected override string Describe => Vault is null ? "use another vault" : $"use the vault '{UntrustedText.Sanitize(Vault)}'";
}

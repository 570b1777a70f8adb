namespace McpSm.Core.Errors.Steps;

/// <summary>Chooses the vault for what is kept from now on.</summary>
/// <param name="Vault">Its name; null if the user is to choose.</param>
/// <param name="Move">Whether to take along what other vaults have.</param>
public sealed record UseVaultStep(string? Vault = null, bool Move = false) : NextStep
{
    protected override string Describe => Vault is null ? "use another vault" : $"use the vault '{UntrustedText.Sanitize(Vault)}'";
}

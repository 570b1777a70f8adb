namespace McpSm.Core.Vaults;

/// <summary>A source of vaults of one kind, such as the store of the operating system.</summary>
public interface IVaultProvider
{
    /// <summary>Returns the vault with this name without opening it; null if the name belongs to another kind.</summary>
    IVault? Find(string name);

    /// <summary>Returns all vaults of this kind without opening them.</summary>
    Task<IReadOnlyList<IVault>> ListAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Returns the vault to use if the user has not selected one; null if none of this kind works. <see cref="VaultSelfTest"/> checks that it works.
    /// <c>Notice</c> is what the user should know about the choice.
    /// </summary>
    Task<(IVault Vault, string? Notice)?> GetDefaultAsync(CancellationToken cancellationToken);
}

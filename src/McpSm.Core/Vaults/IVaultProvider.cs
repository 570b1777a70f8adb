namespace McpSm.Core.Vaults;

/// <summary>A kind of vault that this system may have.</summary>
public interface IVaultProvider
{
    /// <summary>The vault of that name, unopened; null where the name is not of this kind.</summary>
    IVault? Find(string name);

    /// <summary>The vaults of this kind that there are, unopened.</summary>
    Task<IReadOnlyList<IVault>> ListAsync(CancellationToken cancellationToken);

    /// <summary>
    /// The vault to take where the user chose none, tried by <see cref="VaultSelfTest"/>; null where there is none that
    /// works here. <c>Notice</c> is what the user should know of the choice.
    /// </summary>
    Task<(IVault Vault, string? Notice)?> GetDefaultAsync(CancellationToken cancellationToken);
}

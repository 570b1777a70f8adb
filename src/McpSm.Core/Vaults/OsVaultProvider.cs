using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;

namespace McpSm.Core.Vaults;

/// <summary>Provides the operating system's store for secrets, if there is one.</summary>
internal sealed class OsVaultProvider(IVault? store, Action<Remedy> warn) : IVaultProvider
{
    public IVault? Find(string name) => store?.Name == name ? store : null;

    public Task<IReadOnlyList<IVault>> ListAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<IVault>>(store is null ? [] : [store]);

    public async Task<(IVault Vault, string? Notice)?> GetDefaultAsync(CancellationToken cancellationToken)
    {
        if (store is null)
        {
            return null;
        }
        try
        {
            await VaultSelfTest.RunAsync(store, cancellationToken).ConfigureAwait(false);
            return (store, null);
        }
        catch (McpAuthException e)
        {
            // Many machines, such as containers, servers and CI, do not have a store. A locked store deserves a notice, because the choice falls on
            // another vault and is remembered.
            if (e.Reason == ErrorReason.VaultLocked)
            {
                warn($"{e.Message} To use it later: {new UseVaultStep(store.Name, Move: true)}");
            }
            return null;
        }
    }
}

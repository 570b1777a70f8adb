using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>Reads and replaces the items of identity providers; no other type does. <see cref="CredentialStore"/> is the same for servers.</summary>
internal sealed class IdentitySessionStore(AppEnvironment environment, CredentialIndex index, VaultSelector vaults)
{
    private const string ItemPrefix = "mcpsmidp-";

    private readonly SupersededCopies _superseded = new(environment, vaults);

    /// <summary>Returns the name of the provider's item: letters, digits and dashes, which every vault accepts.</summary>
    public static string ItemName(string issuer) =>
        ItemPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(issuer)))[..16];

    internal static bool IsItem(string name) => name.StartsWith(ItemPrefix, StringComparison.Ordinal);

    /// <summary>Locks the session at this provider, in all processes.</summary>
    /// <remarks>For <paramref name="heldTooLong"/>, see <see cref="CredentialStore.LockAsync"/>.</remarks>
    public Task<FileLock> LockAsync(string issuer, CancellationToken cancellationToken, Func<McpAuthException?>? heldTooLong = null) =>
        environment.LockAsync(ItemName(issuer), cancellationToken, heldTooLong);

    /// <summary>Reads the index entry, without opening a vault; null if the index has none.</summary>
    public IdentitySessionInfo? Index(string issuer) =>
        index.ReadIdentities().GetValueOrDefault(ItemName(issuer)) is { } found && found.Issuer == issuer ? found : null;

    /// <summary>Reads the item of the provider; null if no vault has it. Reconciles a stale index entry.</summary>
    /// <remarks><paramref name="vaultName"/> is the vault that the user named. An item in another vault that cannot be opened is skipped.</remarks>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationCorrupt.</exception>
    public async Task<IdentityProviderSecrets?> ReadAsync(string issuer, CancellationToken cancellationToken, string? vaultName = null)
    {
        try
        {
            return await FindAsync(issuer, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (vaultName is not null && SupersededCopies.CannotBeOpened(e)
            && (index.ReadIdentities().GetValueOrDefault(ItemName(issuer))?.Vault ?? vaults.NameInUse) != vaultName)
        {
            return null;
        }
    }

    private async Task<IdentityProviderSecrets?> FindAsync(string issuer, CancellationToken cancellationToken)
    {
        for (var retries = 3; ; retries--)
        {
            var name = index.ReadIdentities().GetValueOrDefault(ItemName(issuer))?.Vault;
            if ((name is null ? vaults.InUse : vaults.Find(name)) is not { } vault)
            {
                return null;
            }
            if (name is null && await _superseded.HasEndedAsync(ItemName(issuer), vault, cancellationToken).ConfigureAwait(false))
            {
                return null;
            }
            var (item, isPending) = await CredentialStore.FindAsync(vault, ItemName(issuer), CredentialJson.Default.IdentityProviderSecrets, cancellationToken)
                .ConfigureAwait(false);
            // Another process may have moved the item to another vault between the two reads.
            if (item is null && retries > 0
                && index.ReadIdentities().GetValueOrDefault(ItemName(issuer))?.Vault is { } currentVault && currentVault != vault.Name)
            {
                continue;
            }
            item = item?.Issuer == issuer ? item : null;
            if (Index(issuer) is var entry && (item?.Session?.ExpiresAt != entry?.ExpiresAt || (entry is not null && entry.Pending != isPending)))
            {
                await ReconcileAsync(vault, issuer, cancellationToken).ConfigureAwait(false);
            }
            return item;
        }
    }

    /// <summary>Stores the item: the secret first, then the index entry. The caller holds the lock.</summary>
    /// <remarks><paramref name="vaultName"/> is the vault that the user named. The default is the vault of the item, else the vault in use.</remarks>
    public Task WriteAsync(IdentityProviderSecrets item, string? vaultName, CancellationToken cancellationToken) =>
        WriteAsync(item, vaultName, async (vault, text) =>
        {
            await vault.SetAsync(ItemName(item.Issuer), text, cancellationToken).ConfigureAwait(false);
            return false;
        }, cancellationToken);

    /// <summary>Stores the next version of an existing item: renewed, or with a part removed. The caller holds the lock.</summary>
    public Task ReplaceAsync(IdentityProviderSecrets item, CancellationToken cancellationToken) =>
        WriteAsync(item, null, async (vault, text) =>
        {
            await vault.ReplaceAsync(ItemName(item.Issuer), text, cancellationToken).ConfigureAwait(false);
            return false;
        }, cancellationToken);

    /// <summary>
    /// Stores an item with tokens that the provider will not give again. If the vault cannot be written, the item waits in the encrypted
    /// file. A notice tells the user about that, or about a loss.
    /// </summary>
    /// <param name="item">The item.</param>
    /// <param name="vaultName">The vault that the user named. The default is the vault of the item, else the vault in use.</param>
    /// <param name="retry">The step that writes the item to its vault, or gets a new session.</param>
    /// <param name="isRenewal">Whether the item is the stored one with renewed tokens.</param>
    /// <returns>Why the item could not be stored anywhere; null if it is stored.</returns>
    internal async Task<McpAuthException?> StoreAsync(IdentityProviderSecrets item, string? vaultName, NextStep retry, bool isRenewal)
    {
        if (await CredentialStore.StoreAsync(ItemName(item.Issuer), isRenewal, store => WriteAsync(item, vaultName, store, CancellationToken.None))
            .ConfigureAwait(false) is not { } failure)
        {
            return null;
        }
        var error = failure.ToException($"The session at the identity provider {UntrustedText.Sanitize(item.Issuer)}", retry);
        vaults.Warn(error);
        return failure.Outcome == StorageOutcome.MemoryOnly ? error : null;
    }

    /// <summary>Like <see cref="CredentialStore.RehearseAsync"/>. The caller holds the lock of the session.</summary>
    internal async Task<IDisposable> RehearseAsync(IdentityProviderSecrets item, CancellationToken cancellationToken)
    {
        await (await vaults.ChooseAsync(Index(item.Issuer)?.Vault, cancellationToken).ConfigureAwait(false)).RehearseAsync(ItemName(item.Issuer),
            JsonSerializer.Serialize(item, CredentialJson.Default.IdentityProviderSecrets), cancellationToken).ConfigureAwait(false);
        return HandleReserve.Take();
    }

    private async Task WriteAsync(IdentityProviderSecrets item, string? vaultName, Func<VaultWithFallback, string, Task<bool>> store,
        CancellationToken cancellationToken)
    {
        var name = ItemName(item.Issuer);
        var previousVault = index.ReadIdentities().GetValueOrDefault(name)?.Vault;
        var vault = await vaults.ChooseAsync(vaultName ?? previousVault, cancellationToken).ConfigureAwait(false);
        await _superseded.WriteAsync(name, previousVault, vault.Name, async () =>
        {
            var isPending = await store(vault, JsonSerializer.Serialize(item, CredentialJson.Default.IdentityProviderSecrets)).ConfigureAwait(false);
            await index.WriteIdentityAsync(name, _ => IdentitySessionInfo.Create(item, vault.Name) with { Pending = isPending }, cancellationToken)
                .ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes the index entry of an item. The caller holds the lock.</summary>
    internal Task ChangeIndexAsync(IdentityProviderSecrets item, Func<IdentitySessionInfo, IdentitySessionInfo> change) =>
        // Not cancellable: the entry describes what has already happened.
        index.WriteIdentityAsync(ItemName(item.Issuer), entry => change(entry ?? IdentitySessionInfo.Create(item, vaults.NameInUse!)), CancellationToken.None);

    /// <summary>Chooses the vault and rehearses the write, so that a vault that does not work fails before a person signs in.</summary>
    /// <returns>The item of the provider in that vault; null if the vault has none.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationUnavailable.</exception>
    public async Task<IdentityProviderSecrets?> PrepareAsync(string issuer, string? vaultName, CancellationToken cancellationToken)
    {
        using var fileLock = await LockAsync(issuer, cancellationToken).ConfigureAwait(false);
        var vault = await vaults.ChooseAsync(vaultName ?? Index(issuer)?.Vault, cancellationToken).ConfigureAwait(false);
        var (item, _) = await CredentialStore.FindAsync(vault, ItemName(issuer), CredentialJson.Default.IdentityProviderSecrets, cancellationToken)
            .ConfigureAwait(false);
        vault.RequireTakesNewSecrets();
        await vault.RehearseAsync(ItemName(issuer),
            item is null ? null : JsonSerializer.Serialize(item, CredentialJson.Default.IdentityProviderSecrets), cancellationToken)
            .ConfigureAwait(false);
        return item?.Issuer == issuer ? item : null;
    }

    /// <summary>Removes the item and its index entry. The caller holds the lock.</summary>
    public async Task RemoveAsync(string issuer, CancellationToken cancellationToken)
    {
        var name = ItemName(issuer);
        var vaultName = index.ReadIdentities().GetValueOrDefault(name)?.Vault;
        try
        {
            var vault = vaultName is null ? vaults.InUse : vaults.Find(vaultName);
            await (vault?.RemoveAsync(name, cancellationToken) ?? Task.CompletedTask).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (SupersededCopies.IsGone(e))
        {
            await _superseded.AbandonAsync(name, $"the identity provider {UntrustedText.Sanitize(issuer)}", vaultName, e, cancellationToken)
                .ConfigureAwait(false);
        }
        await _superseded.RemoveAsync(name, vaultName ?? vaults.NameInUse, cancellationToken).ConfigureAwait(false);
        await index.WriteIdentityAsync(name, _ => null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Updates the index entry from the vault, in case a process was killed between the two writes. Skips this if another process holds the
    /// lock, because that process is changing both: it, or the next reader, updates the entry.
    /// </summary>
    private async Task ReconcileAsync(VaultWithFallback vault, string issuer, CancellationToken cancellationToken)
    {
        var name = ItemName(issuer);
        try
        {
            using var fileLock = environment.TryLock(name);
            if (fileLock is null || (index.ReadIdentities().GetValueOrDefault(name)?.Vault is { } currentVault && currentVault != vault.Name))
            {
                return;
            }
            var (item, isPending) = await CredentialStore.FindAsync(vault, name, CredentialJson.Default.IdentityProviderSecrets, cancellationToken)
                .ConfigureAwait(false);
            await index.WriteIdentityAsync(name, entry => item?.Issuer != issuer ? null
                : item.Session?.ExpiresAt == entry?.ExpiresAt ? entry is null ? null : entry with { Pending = isPending }
                : IdentitySessionInfo.Create(item, vault.Name) with { Pending = isPending }, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.ConfigurationUnavailable)
        {
            // As in CredentialStore: the item that was read is good, and the next reader reconciles the entry.
        }
    }
}

using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>The one place that reads and replaces what is kept for identity providers; as <see cref="CredentialStore"/> for servers.</summary>
public sealed class IdentitySessionStore(AppEnvironment environment, CredentialIndex index, VaultSelector vaults)
{
    private const string ItemPrefix = "mcpsmidp-";

    private readonly SupersededCopies _superseded = new(environment, vaults);

    /// <summary>Letters, digits and dashes, so that every vault takes it.</summary>
    public static string ItemName(string issuer) =>
        ItemPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(issuer)))[..16];

    internal static bool IsItem(string name) => name.StartsWith(ItemPrefix, StringComparison.Ordinal);

    /// <summary>Holds everybody else off this provider's session, in all processes.</summary>
    /// <param name="heldTooLong">As for <see cref="CredentialStore.LockAsync"/>.</param>
    public Task<FileLock> LockAsync(string issuer, CancellationToken cancellationToken, Func<McpAuthException?>? heldTooLong = null) =>
        environment.LockAsync(ItemName(issuer), cancellationToken, heldTooLong);

    /// <summary>The facts, without a vault being opened; null where there are none.</summary>
    public IdentitySessionInfo? Index(string issuer) => index.ReadIdentities().GetValueOrDefault(ItemName(issuer)) is { } found && found.Issuer == issuer ? found : null;

    /// <summary>What is kept for the provider; null where nothing is. Mends facts that lie.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationCorrupt.</exception>
    /// <param name="vaultName">The vault the user named: what is in another that cannot be opened is left there.</param>
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
        for (var again = 3; ; again--)
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
            // What is absent may have been taken to another vault between the two reads.
            if (item is null && again > 0 && index.ReadIdentities().GetValueOrDefault(ItemName(issuer))?.Vault is { } now && now != vault.Name)
            {
                continue;
            }
            item = item?.Issuer == issuer ? item : null;
            if (Index(issuer) is var told && (item?.Session?.ExpiresAt != told?.ExpiresAt || (told is not null && told.Pending != isPending)))
            {
                await ReconcileAsync(vault, issuer, cancellationToken).ConfigureAwait(false);
            }
            return item;
        }
    }

    /// <summary>Keeps the item, for whoever holds the lock: the secret first, then the facts.</summary>
    /// <param name="vaultName">The vault the user named; null for the one it is in, or the one in use.</param>
    public Task WriteAsync(IdentityProviderSecrets item, string? vaultName, CancellationToken cancellationToken) =>
        WriteAsync(item, vaultName, async (vault, text) =>
        {
            await vault.SetAsync(ItemName(item.Issuer), text, cancellationToken).ConfigureAwait(false);
            return false;
        }, cancellationToken);

    /// <summary>Keeps what the kept item has become, for the holder of the lock: renewed, or with a part of it removed.</summary>
    public Task ReplaceAsync(IdentityProviderSecrets item, CancellationToken cancellationToken) =>
        WriteAsync(item, null, async (vault, text) =>
        {
            await vault.ReplaceAsync(ItemName(item.Issuer), text, cancellationToken).ConfigureAwait(false);
            return false;
        }, cancellationToken);

    /// <summary>
    /// Keeps an item with what the provider has given for good. If its vault cannot be written, the item waits in the encrypted
    /// file; that, and a loss, is told as a warning.
    /// </summary>
    /// <param name="retry">The step that writes it to its vault, or gets another.</param>
    /// <returns>Why it could be kept nowhere; null if it is kept.</returns>
    /// <param name="isRenewal">Whether it is the kept item, renewed.</param>
    internal async Task<McpAuthException?> StoreAsync(IdentityProviderSecrets item, string? vaultName, NextStep retry, bool isRenewal)
    {
        if (await CredentialStore.StoreAsync(ItemName(item.Issuer), isRenewal, keep => WriteAsync(item, vaultName, keep, CancellationToken.None))
            .ConfigureAwait(false) is not { } failed)
        {
            return null;
        }
        var told = failed.ToException($"The session at the identity provider {UntrustedText.Sanitize(item.Issuer)}", retry);
        vaults.Notify(told);
        return failed.Outcome == StorageOutcome.MemoryOnly ? told : null;
    }

    /// <summary>As <see cref="CredentialStore.RehearseAsync"/>, for the holder of the session's lock.</summary>
    internal async Task<IDisposable> RehearseAsync(IdentityProviderSecrets item, CancellationToken cancellationToken)
    {
        await (await vaults.ChooseAsync(Index(item.Issuer)?.Vault, cancellationToken).ConfigureAwait(false)).RehearseAsync(ItemName(item.Issuer),
            JsonSerializer.Serialize(item, CredentialJson.Default.IdentityProviderSecrets), cancellationToken).ConfigureAwait(false);
        return HandleReserve.Take();
    }

    private async Task WriteAsync(IdentityProviderSecrets item, string? vaultName, Func<VaultWithFallback, string, Task<bool>> keep, CancellationToken cancellationToken)
    {
        var name = ItemName(item.Issuer);
        var before = index.ReadIdentities().GetValueOrDefault(name)?.Vault;
        var vault = await vaults.ChooseAsync(vaultName ?? before, cancellationToken).ConfigureAwait(false);
        await _superseded.WriteAsync(name, before, vault.Name, async () =>
        {
            var isPending = await keep(vault, JsonSerializer.Serialize(item, CredentialJson.Default.IdentityProviderSecrets)).ConfigureAwait(false);
            await index.WriteIdentityAsync(name, _ => IdentitySessionInfo.Create(item, vault.Name) with { Pending = isPending }, cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes the facts of an item, for whoever holds the lock.</summary>
    internal Task ChangeIndexAsync(IdentityProviderSecrets item, Func<IdentitySessionInfo, IdentitySessionInfo> change) =>
        // Not to be cut short: what they say is already so.
        index.WriteIdentityAsync(ItemName(item.Issuer), f => change(f ?? IdentitySessionInfo.Create(item, vaults.NameInUse!)), CancellationToken.None);

    /// <summary>Chooses the vault and rehearses the write, before a person signs in for nothing.</summary>
    /// <returns>What that vault holds for the provider now; null if nothing.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationUnavailable.</exception>
    public async Task<IdentityProviderSecrets?> PrepareAsync(string issuer, string? vaultName, CancellationToken cancellationToken)
    {
        using var held = await LockAsync(issuer, cancellationToken).ConfigureAwait(false);
        var vault = await vaults.ChooseAsync(vaultName ?? Index(issuer)?.Vault, cancellationToken).ConfigureAwait(false);
        var (item, _) = await CredentialStore.FindAsync(vault, ItemName(issuer), CredentialJson.Default.IdentityProviderSecrets, cancellationToken).ConfigureAwait(false);
        vault.RequireTakesNewSecrets();
        await vault.RehearseAsync(ItemName(issuer), item is null ? null : JsonSerializer.Serialize(item, CredentialJson.Default.IdentityProviderSecrets), cancellationToken)
            .ConfigureAwait(false);
        return item?.Issuer == issuer ? item : null;
    }

    /// <summary>Removes the item and its facts, for whoever holds the lock.</summary>
    public async Task RemoveAsync(string issuer, CancellationToken cancellationToken)
    {
        var name = ItemName(issuer);
        var kept = index.ReadIdentities().GetValueOrDefault(name)?.Vault;
        try
        {
            var vault = kept is null ? vaults.InUse : vaults.Find(kept);
            await (vault?.RemoveAsync(name, cancellationToken) ?? Task.CompletedTask).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (SupersededCopies.IsGone(e))
        {
            await _superseded.AbandonAsync(name, $"the identity provider {UntrustedText.Sanitize(issuer)}", kept, e, cancellationToken).ConfigureAwait(false);
        }
        await _superseded.RemoveAsync(name, kept ?? vaults.NameInUse, cancellationToken).ConfigureAwait(false);
        await index.WriteIdentityAsync(name, _ => null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes the facts say what the vault holds, where somebody was killed between the two. Whoever has the lock is
    /// changing both: then it is theirs to do, or the next reader's.
    /// </summary>
    private async Task ReconcileAsync(VaultWithFallback vault, string issuer, CancellationToken cancellationToken)
    {
        var name = ItemName(issuer);
        try
        {
            using var held = environment.TryLock(name);
            if (held is null || (index.ReadIdentities().GetValueOrDefault(name)?.Vault is { } now && now != vault.Name))
            {
                return;
            }
            var (item, isPending) = await CredentialStore.FindAsync(vault, name, CredentialJson.Default.IdentityProviderSecrets, cancellationToken).ConfigureAwait(false);
            await index.WriteIdentityAsync(name, f => item?.Issuer != issuer ? null
                : item.Session?.ExpiresAt == f?.ExpiresAt ? f is null ? null : f with { Pending = isPending }
                : IdentitySessionInfo.Create(item, vault.Name) with { Pending = isPending }, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.ConfigurationUnavailable)
        {
            // As for a server's: what was read is good, and the next reader mends.
        }
    }
}

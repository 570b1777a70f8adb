using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>The one place that reads and replaces what is kept for identity providers; as <see cref="CredentialStore"/> for servers.</summary>
public sealed class IdentityStore(Home home, FactsFile facts, VaultSelector vaults)
{
    private const string ItemPrefix = "mcpsmidp-";

    private readonly LeftBehind _left = new(home, vaults);

    /// <summary>Letters, digits and dashes, so that every vault takes it.</summary>
    public static string ItemName(string issuer) =>
        ItemPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(issuer)))[..16];

    internal static bool IsItem(string name) => name.StartsWith(ItemPrefix, StringComparison.Ordinal);

    /// <summary>Holds everybody else off this provider's session, in all processes.</summary>
    public Task<FileLock> LockAsync(string issuer, CancellationToken cancellationToken) => home.LockAsync(ItemName(issuer), cancellationToken);

    /// <summary>The facts, without a vault being opened; null where there are none.</summary>
    public IdentityFacts? Facts(string issuer) => facts.ReadIdentities().GetValueOrDefault(ItemName(issuer)) is { } found && found.Issuer == issuer ? found : null;

    /// <summary>What is kept for the provider; null where nothing is. Mends facts that lie.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationCorrupt.</exception>
    /// <param name="vaultName">The vault the user named: what is in another that cannot be opened is left there.</param>
    public async Task<IdentityItem?> ReadAsync(string issuer, CancellationToken cancellationToken, string? vaultName = null)
    {
        try
        {
            return await FindAsync(issuer, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (vaultName is not null && LeftBehind.CannotBeOpened(e)
            && (facts.ReadIdentities().GetValueOrDefault(ItemName(issuer))?.Vault ?? vaults.NameInUse) != vaultName)
        {
            return null;
        }
    }

    private async Task<IdentityItem?> FindAsync(string issuer, CancellationToken cancellationToken)
    {
        for (var again = 3; ; again--)
        {
            var name = facts.ReadIdentities().GetValueOrDefault(ItemName(issuer))?.Vault;
            if ((name is null ? vaults.InUse : vaults.Find(name)) is not { } vault)
            {
                return null;
            }
            var item = await CredentialStore.GetAsync(vault, ItemName(issuer), CredentialJson.Default.IdentityItem, cancellationToken).ConfigureAwait(false);
            // What is absent may have been taken to another vault between the two reads.
            if (item is null && again > 0 && facts.ReadIdentities().GetValueOrDefault(ItemName(issuer))?.Vault is { } now && now != vault.Name)
            {
                continue;
            }
            item = item?.Issuer == issuer ? item : null;
            if (item?.Session?.ExpiresAt != Facts(issuer)?.ExpiresAt)
            {
                await MendAsync(vault, issuer, cancellationToken).ConfigureAwait(false);
            }
            return item;
        }
    }

    /// <summary>Keeps the item, for whoever holds the lock: the secret first, then the facts.</summary>
    /// <param name="vaultName">The vault the user named; null for the one it is in, or the one in use.</param>
    public Task WriteAsync(IdentityItem item, string? vaultName, CancellationToken cancellationToken) =>
        WriteAsync(item, vaultName, (vault, name, text) => vault.SetAsync(name, text, cancellationToken), cancellationToken);

    /// <summary>Keeps what the kept item has become, for the holder of the lock: renewed, or with a part of it removed.</summary>
    public Task ReplaceAsync(IdentityItem item, CancellationToken cancellationToken) =>
        WriteAsync(item, null, (vault, name, text) => vault.ReplaceAsync(name, text, cancellationToken), cancellationToken);

    private async Task WriteAsync(IdentityItem item, string? vaultName, Func<IVault, string, string, Task> set, CancellationToken cancellationToken)
    {
        var name = ItemName(item.Issuer);
        var before = facts.ReadIdentities().GetValueOrDefault(name)?.Vault;
        var vault = await vaults.ChooseAsync(vaultName ?? before, cancellationToken).ConfigureAwait(false);
        await _left.KeepAsync(name, before, vault.Name, async () =>
        {
            await set(vault, name, JsonSerializer.Serialize(item, CredentialJson.Default.IdentityItem)).ConfigureAwait(false);
            await facts.WriteIdentityAsync(name, _ => IdentityFacts.Of(item, vault.Name), cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Changes the facts of an item, for whoever holds the lock.</summary>
    internal Task ChangeFactsAsync(IdentityItem item, Func<IdentityFacts, IdentityFacts> change) =>
        // Not to be cut short: what they say is already so.
        facts.WriteIdentityAsync(ItemName(item.Issuer), f => change(f ?? IdentityFacts.Of(item, vaults.NameInUse!)), CancellationToken.None);

    /// <summary>Chooses the vault and opens it, before a person signs in for nothing.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt.</exception>
    public async Task PrepareAsync(string issuer, string? vaultName, CancellationToken cancellationToken)
    {
        var vault = await vaults.ChooseAsync(vaultName ?? Facts(issuer)?.Vault, cancellationToken).ConfigureAwait(false);
        await vault.GetAsync(ItemName(issuer), cancellationToken).ConfigureAwait(false);
        vault.RequireTakesNewSecrets();
    }

    /// <summary>Removes the item and its facts, for whoever holds the lock.</summary>
    public async Task RemoveAsync(string issuer, CancellationToken cancellationToken)
    {
        var name = ItemName(issuer);
        var kept = facts.ReadIdentities().GetValueOrDefault(name)?.Vault;
        var vault = kept is null ? vaults.InUse : vaults.Find(kept);
        if (vault is not null)
        {
            await vault.RemoveAsync(name, cancellationToken).ConfigureAwait(false);
        }
        await _left.RemoveAsync(name, vault?.Name, cancellationToken).ConfigureAwait(false);
        await facts.WriteIdentityAsync(name, _ => null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes the facts say what the vault holds, where somebody was killed between the two. Whoever has the lock is
    /// changing both: then it is theirs to do, or the next reader's.
    /// </summary>
    private async Task MendAsync(IVault vault, string issuer, CancellationToken cancellationToken)
    {
        var name = ItemName(issuer);
        try
        {
            using var held = home.TryLock(name);
            if (held is null || (facts.ReadIdentities().GetValueOrDefault(name)?.Vault is { } now && now != vault.Name))
            {
                return;
            }
            var item = await CredentialStore.GetAsync(vault, name, CredentialJson.Default.IdentityItem, cancellationToken).ConfigureAwait(false);
            await facts.WriteIdentityAsync(name, f => item?.Issuer != issuer ? null : item.Session?.ExpiresAt == f?.ExpiresAt ? f
                : IdentityFacts.Of(item, vault.Name), cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.ConfigurationUnavailable)
        {
            // As for a server's: what was read is good, and the next reader mends.
        }
    }
}

using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>
/// Reads and replaces the credentials of servers; no other type does. It writes the secret first and the index entry after it, both
/// under the lock of the server. If the process is killed in between, the next read of the secret reconciles the entry.
/// </summary>
internal sealed class CredentialStore(AppEnvironment environment, VaultSelector vaults)
{
    private readonly SupersededCopies _superseded = new(environment, vaults);
    private readonly ConcurrentDictionary<string, bool> _reportedVault = [];

    public CredentialIndex Index { get; } = new(environment);

    /// <summary>The clients that issuers registered for us.</summary>
    public ClientRegistrationStore Registrations => field ??= new(environment, vaults, Index);

    /// <summary>Locks the credential of this server, in all processes.</summary>
    /// <remarks>
    /// If another process keeps the lock too long, <paramref name="heldTooLong"/> supplies the error. If it is null or returns null, the
    /// error is that of <see cref="FileLock"/>.
    /// </remarks>
    public Task<FileLock> LockAsync(McpServer server, CancellationToken cancellationToken, Func<McpAuthException?>? heldTooLong = null) =>
        environment.LockAsync(LockName(server.Id), cancellationToken, heldTooLong);

    /// <summary>Reads the part of the server's item that may be used for it now; null if it has none. Reconciles a stale index entry.</summary>
    /// <remarks>
    /// <paramref name="vaultName"/> is the vault that the user named. It is read if the index names no vault. If the index names another
    /// vault that cannot be opened, the item there is skipped, because the user may name a vault as that one is lost.
    /// </remarks>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationCorrupt.</exception>
    public async Task<ServerSecrets?> ReadAsync(McpServer server, CancellationToken cancellationToken, string? vaultName = null) =>
        (await ReadRawAsync(server, cancellationToken, vaultName).ConfigureAwait(false))?.UsableFor(server);

    /// <summary>Reads the whole item, even if it belongs to another URL, so that it can be removed and its tokens revoked.</summary>
    public async Task<ServerSecrets?> ReadRawAsync(McpServer server, CancellationToken cancellationToken, string? vaultName = null)
    {
        try
        {
            return await FindAsync(server, vaultName, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (vaultName is not null && SupersededCopies.CannotBeOpened(e)
            && Index.Read(server.Id)?.Vault is { } storedIn && storedIn != vaultName)
        {
            if (_reportedVault.TryAdd(server.Id, true))
            {
                vaults.Warn($"The credential of '{server.Name}' stays, unread, in the vault '{UntrustedText.Sanitize(storedIn)}'. {e.Message}");
            }
            return null;
        }
    }

    private async Task<ServerSecrets?> FindAsync(McpServer server, string? vaultName, CancellationToken cancellationToken)
    {
        for (var retries = 3; ; retries--)
        {
            var info = Index.Read(server.Id);
            if ((info?.Vault is null && vaultName is not null ? vaults.Find(vaultName) : VaultOf(info)) is not { } vault)
            {
                return null;
            }
            if (info is null && await _superseded.HasEndedAsync(ItemName(server), vault, cancellationToken).ConfigureAwait(false))
            {
                return null;
            }
            var (item, isPending) = await ReadItemAsync(vault, server, cancellationToken).ConfigureAwait(false);
            // Another process may have moved the item to another vault between the two reads. The index then names that vault.
            if (item is null && retries > 0 && Index.Read(server.Id)?.Vault is { } currentVault && currentVault != vault.Name)
            {
                continue;
            }
            if (!IsConsistent(info, item, isPending) || !HasConsistentSecrets(info, item))
            {
                await ReconcileAsync(server, vault, cancellationToken).ConfigureAwait(false);
            }
            return item;
        }
    }

    /// <summary>Stores the item. If it was in another vault, removes it there afterwards.</summary>
    /// <remarks><paramref name="vaultName"/> is the vault that the user named. The default is the vault of the item, else the vault in use.</remarks>
    public Task WriteAsync(McpServer server, ServerSecrets item, string? vaultName, CancellationToken cancellationToken) =>
        WriteAsync(server, item, vaultName, async (vault, text) =>
        {
            await vault.SetAsync(ItemName(server), text, cancellationToken).ConfigureAwait(false);
            return false;
        }, cancellationToken);

    /// <summary>Stores the next version of an existing item: renewed, or with a part removed. It contains nothing that a person entered.</summary>
    public Task ReplaceAsync(McpServer server, ServerSecrets item, CancellationToken cancellationToken) =>
        WriteAsync(server, item, null, async (vault, text) =>
        {
            await vault.ReplaceAsync(ItemName(server), text, cancellationToken).ConfigureAwait(false);
            return false;
        }, cancellationToken);

    /// <summary>
    /// Stores an item with tokens that the issuer will not give again. If the vault cannot be written, the item waits in the encrypted file.
    /// </summary>
    /// <param name="server">The server of the item.</param>
    /// <param name="item">The item.</param>
    /// <param name="vaultName">The vault that the user named. The default is the vault of the item, else the vault in use.</param>
    /// <param name="isRenewal">Whether the item is the stored one with renewed tokens.</param>
    /// <returns>Why the item is not in its vault and in the index; null if it is.</returns>
    internal Task<StorageFailure?> StoreAsync(McpServer server, ServerSecrets item, string? vaultName, bool isRenewal) =>
        StoreAsync(ItemName(server), isRenewal, store => WriteAsync(server, item, vaultName, store, CancellationToken.None));

    /// <summary>Stores an item in its vault, else in the encrypted file for pending items.</summary>
    /// <param name="item">The name of the item.</param>
    /// <param name="isRenewal">Whether the item is the stored one with renewed tokens.</param>
    /// <param name="write">
    /// Chooses the vault, calls the given function with it, and then writes the index entry. The function returns whether the item is pending.
    /// </param>
    internal static async Task<StorageFailure?> StoreAsync(string item, bool isRenewal, Func<Func<VaultWithFallback, string, Task<bool>>, Task> write)
    {
        McpAuthException? vaultError = null;
        VaultWithFallback? stored = null;
        VaultWithFallback? tried = null;
        try
        {
            await write(async (vault, text) =>
            {
                tried = vault;
                vaultError = await vault.KeepAsync(item, text, isRenewal).ConfigureAwait(false);
                stored = vault;
                return vaultError is not null;
            }).ConfigureAwait(false);
            return vaultError is null ? null : new StorageFailure(StorageOutcome.Pending, vaultError, stored!.Name, stored.PendingFile);
        }
        catch (McpAuthException e)
        {
            return stored is null ? new StorageFailure(StorageOutcome.MemoryOnly, e, tried?.Name ?? "", "")
                : new StorageFailure(vaultError is null ? StorageOutcome.WithoutIndexEntry : StorageOutcome.Pending, vaultError ?? e, stored.Name,
                    stored.PendingFile);
        }
    }

    private async Task WriteAsync(McpServer server, ServerSecrets item, string? vaultName, Func<VaultWithFallback, string, Task<bool>> store,
        CancellationToken cancellationToken)
    {
        var previousVault = Index.Read(server.Id)?.Vault;
        var vault = await vaults.ChooseAsync(vaultName ?? previousVault, cancellationToken).ConfigureAwait(false);
        await _superseded.WriteAsync(ItemName(server), previousVault, vault.Name, async () =>
        {
            var isPending = await store(vault, JsonSerializer.Serialize(item, CredentialJson.Default.ServerSecrets)).ConfigureAwait(false);
            await Index.WriteAsync(server.Id, _ => CredentialInfo.Create(item, vault.Name) with { Pending = isPending }, cancellationToken)
                .ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Writes the present item once more, before a refresh token is spent, to make sure that its successor can be stored. The caller holds
    /// the lock of the server.
    /// </summary>
    /// <returns>File handles that the later write needs. Dispose them when the answer of the issuer has arrived.</returns>
    /// <exception cref="McpAuthException">ConfigurationUnavailable, VaultUnavailable, VaultLocked, …: the refresh token is not spent yet.</exception>
    internal async Task<IDisposable> RehearseAsync(McpServer server, ServerSecrets item, CancellationToken cancellationToken)
    {
        await (await ChooseAsync(server, null, cancellationToken).ConfigureAwait(false)).RehearseAsync(ItemName(server),
            JsonSerializer.Serialize(item, CredentialJson.Default.ServerSecrets), cancellationToken).ConfigureAwait(false);
        return HandleReserve.Take();
    }

    /// <summary>
    /// Changes the index entry of an item. An entry that is stale, or missing because its writer was killed, is first created from the item.
    /// The caller holds the lock of the server.
    /// </summary>
    internal Task ChangeIndexAsync(McpServer server, ServerSecrets item, Func<CredentialInfo, CredentialInfo> change) =>
        // Not cancellable: the entry describes what has already happened.
        Index.WriteAsync(server.Id, info => change(info is not null && IsConsistent(info, item, info.Pending) ? info
            : CredentialInfo.Create(item, info?.Vault ?? vaults.NameInUse!)), CancellationToken.None);

    /// <summary>Removes the item and its index entry. If the vault is gone, the item stays in it and a notice says so.</summary>
    public async Task RemoveAsync(McpServer server, CancellationToken cancellationToken)
    {
        var info = Index.Read(server.Id);
        try
        {
            await (VaultOf(info)?.RemoveAsync(ItemName(server), cancellationToken) ?? Task.CompletedTask).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (SupersededCopies.IsGone(e))
        {
            await _superseded.AbandonAsync(ItemName(server), $"'{server.Name}'", info?.Vault, e, cancellationToken).ConfigureAwait(false);
        }
        await _superseded.RemoveAsync(ItemName(server), info?.Vault ?? vaults.NameInUse, cancellationToken).ConfigureAwait(false);
        await Index.WriteAsync(server.Id, _ => null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Chooses the vault for the server's credential and rehearses the write, so that a vault that does not work fails before a person signs
    /// in. The caller holds the lock of the server.
    /// </summary>
    /// <returns>The item of the server in that vault; null if the vault has none.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationUnavailable.</exception>
    public async Task<ServerSecrets?> PrepareAsync(McpServer server, string? vaultName, CancellationToken cancellationToken)
    {
        var vault = await ChooseAsync(server, vaultName, cancellationToken).ConfigureAwait(false);
        var (item, _) = await ReadItemAsync(vault, server, cancellationToken).ConfigureAwait(false);
        vault.RequireTakesNewSecrets();
        await vault.RehearseAsync(ItemName(server),
            item is null ? null : JsonSerializer.Serialize(item, CredentialJson.Default.ServerSecrets), cancellationToken)
            .ConfigureAwait(false);
        return item;
    }

    /// <summary>Returns the name of a registration's item: letters, digits and dashes, which every vault accepts.</summary>
    public static string ClientItemName(string issuer) =>
        ClientItemPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(issuer)))[..16];

    public static string ItemName(McpServer server) => ItemPrefix + server.Id;

    internal static bool IsClientItem(string name) => name.StartsWith(ClientItemPrefix, StringComparison.Ordinal);

    internal const string ItemPrefix = "mcpsm-";

    private const string ClientItemPrefix = "mcpsmclient-";

    internal static string LockName(string id) => "server-" + id;

    /// <summary>Returns whether the index entry agrees with the item. Only the index records renewals, so those fields are not compared.</summary>
    private static bool IsConsistent(CredentialInfo? info, ServerSecrets? item, bool isPending)
    {
        var expected = item is null ? new CredentialInfo() : CredentialInfo.Create(item, info?.Vault ?? "") with { Pending = isPending };
        if (info is null or { Kind: CredentialKind.None } || expected.Kind == CredentialKind.None)
        {
            return expected.Kind == (info?.Kind ?? CredentialKind.None);
        }
        return expected with { Scopes = null, HeaderNames = null, HasClientSecret = false }
            == info with
            {
                Scopes = null,
                HeaderNames = null,
                HasClientSecret = false,
                RenewalUncertain = false,
                RenewalBegan = null,
                RenewalRefused = null,
                RenewalFailed = null,
                AnsweredAnonymously = false,
            }
            && (expected.Scopes ?? []).SequenceEqual(info.Scopes ?? []);
    }

    /// <summary>Returns whether the entry names the secrets that are stored with the credential. Entries of older versions do not.</summary>
    private static bool HasConsistentSecrets(CredentialInfo? info, ServerSecrets? item) => WithSecrets(info, item) == info;

    /// <summary>Returns the entry with the secrets that are stored with the credential, and otherwise unchanged.</summary>
    private static CredentialInfo? WithSecrets(CredentialInfo? info, ServerSecrets? item)
    {
        if (info is null)
        {
            return null;
        }
        var expected = item is null ? new CredentialInfo() : CredentialInfo.Create(item, "");
        return info with
        {
            HeaderNames = (expected.HeaderNames ?? []).SequenceEqual(info.HeaderNames ?? []) ? info.HeaderNames : expected.HeaderNames,
            HasClientSecret = expected.HasClientSecret,
        };
    }

    /// <summary>
    /// Updates the index entry from the vault. Skips this if another process holds the lock of the server, because that process is changing
    /// both: it, or the next reader, updates the entry.
    /// </summary>
    private async Task ReconcileAsync(McpServer server, VaultWithFallback vault, CancellationToken cancellationToken)
    {
        try
        {
            using var fileLock = environment.TryLock(LockName(server.Id));
            if (fileLock is null || (Index.Read(server.Id)?.Vault is { } currentVault && currentVault != vault.Name))
            {
                return;
            }
            var (item, isPending) = await ReadItemAsync(vault, server, cancellationToken).ConfigureAwait(false);
            await Index.WriteAsync(server.Id, info => IsConsistent(info, item, isPending) ? WithSecrets(info, item)
                : item is null ? null : CredentialInfo.Create(item, vault.Name) with { Pending = isPending },
                cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.ConfigurationUnavailable)
        {
            // A full or read-only disk must not cost the caller the token that was just read. The next reader reconciles the entry.
        }
    }

    private static Task<(ServerSecrets? Item, bool IsPending)> ReadItemAsync(VaultWithFallback vault, McpServer server, CancellationToken cancellationToken) =>
        FindAsync(vault, ItemName(server), CredentialJson.Default.ServerSecrets, cancellationToken);

    private Task<VaultWithFallback> ChooseAsync(McpServer server, string? vaultName, CancellationToken cancellationToken) =>
        vaults.ChooseAsync(vaultName ?? Index.Read(server.Id)?.Vault, cancellationToken);

    private VaultWithFallback? VaultOf(CredentialInfo? info) => info?.Vault is { } name ? vaults.Find(name) : vaults.InUse;

    /// <summary>Returns the item, and whether it is pending.</summary>
    internal static async Task<(T? Item, bool IsPending)> FindAsync<T>(VaultWithFallback vault, string name, JsonTypeInfo<T> type,
        CancellationToken cancellationToken) where T : class
    {
        var (text, isPending) = await vault.FindAsync(name, cancellationToken).ConfigureAwait(false);
        try
        {
            return (text is null ? null : JsonSerializer.Deserialize(text, type), isPending);
        }
        catch (JsonException)
        {
            throw new McpAuthException(ErrorReason.VaultCorrupt,
                $"The item '{name}' of the vault '{vault.Name}' was not written by Mcpsm. It was not changed.",
                "Remove the item, then sign in again.")
            { Vault = vault.Name };
        }
    }
}

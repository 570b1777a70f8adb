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
/// The one place that reads and replaces credentials. The secret is written first, the facts after it, both under
/// the server's lock: a kill in between leaves facts that the next read of the secret mends.
/// </summary>
public sealed partial class CredentialStore(AppEnvironment environment, VaultSelector vaults)
{
    private readonly SupersededCopies _superseded = new(environment, vaults);
    private readonly ConcurrentDictionary<string, bool> _reportedVault = [];

    public CredentialIndex Index { get; } = new(environment);

    /// <summary>Holds everybody else off this server's credential.</summary>
    /// <param name="heldTooLong">What to say if another process keeps it; null, or where it gives null, for the words of the lock.</param>
    public Task<FileLock> LockAsync(McpServer server, CancellationToken cancellationToken, Func<McpAuthException?>? heldTooLong = null) =>
        environment.LockAsync(LockName(server.Id), cancellationToken, heldTooLong);

    /// <summary>The server's item as it may be used now; null where there is none. Mends facts that lie.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationCorrupt.</exception>
    /// <param name="vaultName">
    /// The vault the user named, to look in where the facts know of none. Where they know another that cannot be opened, what
    /// that has is left there: whoever names a vault may have lost the one before.
    /// </param>
    public async Task<ServerSecrets?> ReadAsync(McpServer server, CancellationToken cancellationToken, string? vaultName = null) =>
        (await ReadRawAsync(server, cancellationToken, vaultName).ConfigureAwait(false))?.UsableFor(server);

    /// <summary>The item whatever it is bound to: to remove it, and to revoke what is in it.</summary>
    public async Task<ServerSecrets?> ReadRawAsync(McpServer server, CancellationToken cancellationToken, string? vaultName = null)
    {
        try
        {
            return await FindAsync(server, vaultName, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (vaultName is not null && SupersededCopies.CannotBeOpened(e) && Index.Read(server.Id)?.Vault is { } kept && kept != vaultName)
        {
            if (_reportedVault.TryAdd(server.Id, true))
            {
                vaults.Notify($"What '{server.Name}' has in the vault '{UntrustedText.Sanitize(kept)}' is left there, unread. {e.Message}");
            }
            return null;
        }
    }

    private async Task<ServerSecrets?> FindAsync(McpServer server, string? vaultName, CancellationToken cancellationToken)
    {
        for (var again = 3; ; again--)
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
            // What is absent may have been taken to another vault between the two reads: the facts tell.
            if (item is null && again > 0 && Index.Read(server.Id)?.Vault is { } now && now != vault.Name)
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

    /// <summary>Keeps the item. Where it was in another vault it is removed there, afterwards.</summary>
    /// <param name="vaultName">The vault the user named; null for the one the server's item is in, or the one in use.</param>
    public Task WriteAsync(McpServer server, ServerSecrets item, string? vaultName, CancellationToken cancellationToken) =>
        WriteAsync(server, item, vaultName, async (vault, text) =>
        {
            await vault.SetAsync(ItemName(server), text, cancellationToken).ConfigureAwait(false);
            return false;
        }, cancellationToken);

    /// <summary>Keeps what the kept item has become: renewed, or with a part of it removed. Nothing in it comes from a person.</summary>
    public Task ReplaceAsync(McpServer server, ServerSecrets item, CancellationToken cancellationToken) =>
        WriteAsync(server, item, null, async (vault, text) =>
        {
            await vault.ReplaceAsync(ItemName(server), text, cancellationToken).ConfigureAwait(false);
            return false;
        }, cancellationToken);

    /// <summary>
    /// Keeps an item with what an issuer has given for good. If its vault cannot be written, the item waits in the encrypted file.
    /// </summary>
    /// <param name="vaultName">The vault the user named; null for the one the server's item is in, or the one in use.</param>
    /// <param name="isRenewal">Whether it is the kept item, renewed.</param>
    /// <returns>Why it is not kept as it should be; null if it is.</returns>
    internal Task<StorageFailure?> StoreAsync(McpServer server, ServerSecrets item, string? vaultName, bool isRenewal) => StoreAsync(ItemName(server), isRenewal,
        keep => WriteAsync(server, item, vaultName, keep, CancellationToken.None));

    /// <summary>Keeps an item in its vault, or else in the file in which items wait.</summary>
    /// <param name="write">Chooses the vault, has it keep the text and then writes the facts, of which it is told whether the item waits.</param>
    internal static async Task<StorageFailure?> StoreAsync(string item, bool isRenewal, Func<Func<VaultWithFallback, string, Task<bool>>, Task> write)
    {
        McpAuthException? why = null;
        VaultWithFallback? kept = null;
        VaultWithFallback? tried = null;
        try
        {
            await write(async (vault, text) =>
            {
                tried = vault;
                why = await vault.KeepAsync(item, text, isRenewal).ConfigureAwait(false);
                kept = vault;
                return why is not null;
            }).ConfigureAwait(false);
            return why is null ? null : new StorageFailure(StorageOutcome.Pending, why, kept!.Name, kept.PendingFile);
        }
        catch (McpAuthException e)
        {
            return kept is null ? new StorageFailure(StorageOutcome.MemoryOnly, e, tried?.Name ?? "", "")
                : new StorageFailure(why is null ? StorageOutcome.WithoutIndexEntry : StorageOutcome.Pending, why ?? e, kept.Name, kept.PendingFile);
        }
    }

    private async Task WriteAsync(McpServer server, ServerSecrets item, string? vaultName, Func<VaultWithFallback, string, Task<bool>> keep,
        CancellationToken cancellationToken)
    {
        var before = Index.Read(server.Id)?.Vault;
        var vault = await vaults.ChooseAsync(vaultName ?? before, cancellationToken).ConfigureAwait(false);
        await _superseded.WriteAsync(ItemName(server), before, vault.Name, async () =>
        {
            var isPending = await keep(vault, JsonSerializer.Serialize(item, CredentialJson.Default.ServerSecrets)).ConfigureAwait(false);
            await Index.WriteAsync(server.Id, _ => CredentialInfo.Create(item, vault.Name) with { Pending = isPending }, cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes sure, before a refresh token is spent, that its successor can be kept: makes the same write with the present item.
    /// For the holder of the server's lock.
    /// </summary>
    /// <returns>Handles that the write will need: to be given back when the answer is here.</returns>
    /// <exception cref="McpAuthException">ConfigurationUnavailable, VaultUnavailable, VaultLocked, …: nothing was spent yet.</exception>
    internal async Task<IDisposable> RehearseAsync(McpServer server, ServerSecrets item, CancellationToken cancellationToken)
    {
        await (await ChooseAsync(server, null, cancellationToken).ConfigureAwait(false)).RehearseAsync(ItemName(server),
            JsonSerializer.Serialize(item, CredentialJson.Default.ServerSecrets), cancellationToken).ConfigureAwait(false);
        return HandleReserve.Take();
    }

    /// <summary>
    /// Changes the facts of an item, for whoever holds the server's lock. Facts that lie, or are missing since their
    /// writer was killed, first say what the vault holds.
    /// </summary>
    internal Task ChangeIndexAsync(McpServer server, ServerSecrets item, Func<CredentialInfo, CredentialInfo> change) =>
        // Not to be cut short: what they say is already so.
        Index.WriteAsync(server.Id, info => change(info is not null && IsConsistent(info, item, info.Pending) ? info
            : CredentialInfo.Create(item, info?.Vault ?? vaults.NameInUse!)), CancellationToken.None);

    /// <summary>Removes the item and its facts. An item in a vault that is gone stays there, and that is told.</summary>
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
    /// Chooses the vault that the server's credential will be kept in and rehearses the write, before a person signs in for
    /// nothing. For the holder of the server's lock.
    /// </summary>
    /// <returns>What that vault holds for the server now; null if nothing.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationUnavailable.</exception>
    public async Task<ServerSecrets?> PrepareAsync(McpServer server, string? vaultName, CancellationToken cancellationToken)
    {
        var vault = await ChooseAsync(server, vaultName, cancellationToken).ConfigureAwait(false);
        var (item, _) = await ReadItemAsync(vault, server, cancellationToken).ConfigureAwait(false);
        vault.RequireTakesNewSecrets();
        await vault.RehearseAsync(ItemName(server), item is null ? null : JsonSerializer.Serialize(item, CredentialJson.Default.ServerSecrets), cancellationToken)
            .ConfigureAwait(false);
        return item;
    }

    /// <summary>The registration kept for an issuer, in the vault that the server's credential is or will be in.</summary>
    public async Task<ClientRegistration?> ReadRegistrationAsync(McpServer server, string issuer, string? vaultName,
        CancellationToken cancellationToken)
    {
        var vault = await ChooseAsync(server, vaultName, cancellationToken).ConfigureAwait(false);
        var kept = await GetAsync(vault, ClientItemName(issuer), CredentialJson.Default.ClientRegistration, cancellationToken).ConfigureAwait(false);
        return kept?.Issuer == issuer ? kept : null;
    }

    /// <summary>Keeps a registration. A doubt about its client stays; a doubt about the client before it ends.</summary>
    public async Task WriteRegistrationAsync(McpServer server, ClientRegistration registration, string? vaultName,
        CancellationToken cancellationToken)
    {
        var vault = await ChooseAsync(server, vaultName, cancellationToken).ConfigureAwait(false);
        var item = ClientItemName(registration.Issuer);
        // What the issuer has registered is used from now on, whether it is in the vault or waits for it.
        await vault.KeepAsync(item, JsonSerializer.Serialize(registration, CredentialJson.Default.ClientRegistration), isRenewal: false).ConfigureAwait(false);
        await Index.WriteRegistrationAsync(item, f => (f ?? new RegistrationInfo { Issuer = registration.Issuer }).UsedBy(server.Id) with
        {
            Vault = vault.Name,
            DoubtedClient = f?.DoubtedClient == registration.Client.Id ? f.DoubtedClient : null,
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Letters, digits and dashes, so that every vault takes it; the same for every spelling of us.</summary>
    public static string ClientItemName(string issuer) =>
        ClientItemPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(issuer)))[..16];

    public static string ItemName(McpServer server) => ItemPrefix + server.Id;

    internal static bool IsClientItem(string name) => name.StartsWith(ClientItemPrefix, StringComparison.Ordinal);

    internal const string ItemPrefix = "mcpsm-";

    private const string ClientItemPrefix = "mcpsmclient-";

    internal static string LockName(string id) => "server-" + id;

    /// <summary>Whether the facts say of the credential what the vault does; of a renewal under way the vault says nothing.</summary>
    private static bool IsConsistent(CredentialInfo? info, ServerSecrets? item, bool isPending)
    {
        var told = item is null ? new CredentialInfo() : CredentialInfo.Create(item, info?.Vault ?? "") with { Pending = isPending };
        if (info is null or { Kind: CredentialKind.None } || told.Kind == CredentialKind.None)
        {
            return told.Kind == (info?.Kind ?? CredentialKind.None);
        }
        return told with { Scopes = null, HeaderNames = null, HasClientSecret = false } == info with { Scopes = null, HeaderNames = null, HasClientSecret = false, RenewalUncertain = false, RenewalBegan = null, RenewalRefused = null, RenewalFailed = null, AnsweredAnonymously = false }
            && (told.Scopes ?? []).SequenceEqual(info.Scopes ?? []);
    }

    /// <summary>Whether the facts name the secrets that are kept beside the credential. Those that an older version wrote name none.</summary>
    private static bool HasConsistentSecrets(CredentialInfo? info, ServerSecrets? item) => WithSecrets(info, item) == info;

    /// <summary>The facts with the secrets that are kept beside the credential, and everything else as it is.</summary>
    private static CredentialInfo? WithSecrets(CredentialInfo? info, ServerSecrets? item)
    {
        if (info is null)
        {
            return null;
        }
        var told = item is null ? new CredentialInfo() : CredentialInfo.Create(item, "");
        return info with
        {
            HeaderNames = (told.HeaderNames ?? []).SequenceEqual(info.HeaderNames ?? []) ? info.HeaderNames : told.HeaderNames,
            HasClientSecret = told.HasClientSecret,
        };
    }

    /// <summary>
    /// Makes the facts say what the vault holds. Whoever has the server's lock is changing both: then it is theirs to
    /// do, or the next reader's.
    /// </summary>
    private async Task ReconcileAsync(McpServer server, VaultWithFallback vault, CancellationToken cancellationToken)
    {
        try
        {
            using var held = environment.TryLock(LockName(server.Id));
            if (held is null || (Index.Read(server.Id)?.Vault is { } now && now != vault.Name))
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
            // A disk that is full or read-only takes no token away from who has just read it. The next reader mends.
        }
    }

    private static Task<(ServerSecrets? Item, bool IsPending)> ReadItemAsync(VaultWithFallback vault, McpServer server, CancellationToken cancellationToken) =>
        FindAsync(vault, ItemName(server), CredentialJson.Default.ServerSecrets, cancellationToken);

    private Task<VaultWithFallback> ChooseAsync(McpServer server, string? vaultName, CancellationToken cancellationToken) =>
        vaults.ChooseAsync(vaultName ?? Index.Read(server.Id)?.Vault, cancellationToken);

    private VaultWithFallback? VaultOf(CredentialInfo? info) => info?.Vault is { } name ? vaults.Find(name) : vaults.InUse;

    private static async Task<T?> GetAsync<T>(VaultWithFallback vault, string name, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class => (await FindAsync(vault, name, type, cancellationToken).ConfigureAwait(false)).Item;

    /// <summary>The item, and whether it waits for the vault.</summary>
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
                $"The item '{name}' of the vault '{vault.Name}' is not one of ours. It was not changed.",
                "Remove the item, then sign in again.")
            { Vault = vault.Name };
        }
    }
}

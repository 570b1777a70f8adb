using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>
/// The one place that reads and replaces credentials. The secret is written first, the facts after it, both under
/// the server's lock: a kill in between leaves facts that the next read of the secret mends.
/// </summary>
public sealed partial class CredentialStore(Home home, VaultSelector vaults)
{
    private readonly LeftBehind _left = new(home, vaults);
    private readonly ConcurrentDictionary<string, bool> _toldOfVault = [];

    public FactsFile Facts { get; } = new(home);

    /// <summary>Holds everybody else off this server's credential.</summary>
    /// <param name="heldTooLong">What to say if another process keeps it; null, or where it gives null, for the words of the lock.</param>
    public Task<FileLock> LockAsync(McpServer server, CancellationToken cancellationToken, Func<McpAuthException?>? heldTooLong = null) =>
        home.LockAsync(LockName(server.Id), cancellationToken, heldTooLong);

    /// <summary>The server's item as it may be used now; null where there is none. Mends facts that lie.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationCorrupt.</exception>
    /// <param name="vaultName">
    /// The vault the user named, to look in where the facts know of none. Where they know another that cannot be opened, what
    /// that has is left there: whoever names a vault may have lost the one before.
    /// </param>
    public async Task<ServerItem?> ReadAsync(McpServer server, CancellationToken cancellationToken, string? vaultName = null) =>
        (await ReadRawAsync(server, cancellationToken, vaultName).ConfigureAwait(false))?.UsableFor(server);

    /// <summary>The item whatever it is bound to: to remove it, and to revoke what is in it.</summary>
    public async Task<ServerItem?> ReadRawAsync(McpServer server, CancellationToken cancellationToken, string? vaultName = null)
    {
        try
        {
            return await FindAsync(server, vaultName, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (vaultName is not null && LeftBehind.CannotBeOpened(e) && Facts.Read(server.Id)?.Vault is { } kept && kept != vaultName)
        {
            if (_toldOfVault.TryAdd(server.Id, true))
            {
                vaults.Tell($"What '{server.Name}' has in the vault '{ForeignText.Clean(kept)}' is left there, unread. {e.Message}");
            }
            return null;
        }
    }

    private async Task<ServerItem?> FindAsync(McpServer server, string? vaultName, CancellationToken cancellationToken)
    {
        for (var again = 3; ; again--)
        {
            var facts = Facts.Read(server.Id);
            if ((facts?.Vault is null && vaultName is not null ? vaults.Find(vaultName) : VaultOf(facts)) is not { } vault)
            {
                return null;
            }
            if (facts is null && await _left.HasEndedAsync(ItemName(server), vault, cancellationToken).ConfigureAwait(false))
            {
                return null;
            }
            var (item, isPending) = await ReadItemAsync(vault, server, cancellationToken).ConfigureAwait(false);
            // What is absent may have been taken to another vault between the two reads: the facts tell.
            if (item is null && again > 0 && Facts.Read(server.Id)?.Vault is { } now && now != vault.Name)
            {
                continue;
            }
            if (!Agree(facts, item, isPending) || !AgreeOnSecrets(facts, item))
            {
                await MendAsync(server, vault, cancellationToken).ConfigureAwait(false);
            }
            return item;
        }
    }

    /// <summary>Keeps the item. Where it was in another vault it is removed there, afterwards.</summary>
    /// <param name="vaultName">The vault the user named; null for the one the server's item is in, or the one in use.</param>
    public Task WriteAsync(McpServer server, ServerItem item, string? vaultName, CancellationToken cancellationToken) =>
        WriteAsync(server, item, vaultName, async (vault, text) =>
        {
            await vault.SetAsync(ItemName(server), text, cancellationToken).ConfigureAwait(false);
            return false;
        }, cancellationToken);

    /// <summary>Keeps what the kept item has become: renewed, or with a part of it removed. Nothing in it comes from a person.</summary>
    public Task ReplaceAsync(McpServer server, ServerItem item, CancellationToken cancellationToken) =>
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
    internal Task<NotKept?> KeepAsync(McpServer server, ServerItem item, string? vaultName, bool isRenewal) => KeepAsync(ItemName(server), isRenewal,
        keep => WriteAsync(server, item, vaultName, keep, CancellationToken.None));

    /// <summary>Keeps an item in its vault, or else in the file in which items wait.</summary>
    /// <param name="write">Chooses the vault, has it keep the text and then writes the facts, of which it is told whether the item waits.</param>
    internal static async Task<NotKept?> KeepAsync(string item, bool isRenewal, Func<Func<VaultWithPending, string, Task<bool>>, Task> write)
    {
        McpAuthException? why = null;
        VaultWithPending? kept = null;
        VaultWithPending? tried = null;
        try
        {
            await write(async (vault, text) =>
            {
                tried = vault;
                why = await vault.KeepAsync(item, text, isRenewal).ConfigureAwait(false);
                kept = vault;
                return why is not null;
            }).ConfigureAwait(false);
            return why is null ? null : new NotKept(KeptWhere.Pending, why, kept!.Name, kept.PendingFile);
        }
        catch (McpAuthException e)
        {
            return kept is null ? new NotKept(KeptWhere.Nowhere, e, tried?.Name ?? "", "")
                : new NotKept(why is null ? KeptWhere.WithoutFacts : KeptWhere.Pending, why ?? e, kept.Name, kept.PendingFile);
        }
    }

    private async Task WriteAsync(McpServer server, ServerItem item, string? vaultName, Func<VaultWithPending, string, Task<bool>> keep,
        CancellationToken cancellationToken)
    {
        var before = Facts.Read(server.Id)?.Vault;
        var vault = await vaults.ChooseAsync(vaultName ?? before, cancellationToken).ConfigureAwait(false);
        await _left.KeepAsync(ItemName(server), before, vault.Name, async () =>
        {
            var isPending = await keep(vault, JsonSerializer.Serialize(item, CredentialJson.Default.ServerItem)).ConfigureAwait(false);
            await Facts.WriteAsync(server.Id, _ => ServerFacts.Of(item, vault.Name) with { Pending = isPending }, cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Makes sure, before a refresh token is spent, that its successor can be kept: makes the same write with the present item.
    /// For the holder of the server's lock.
    /// </summary>
    /// <returns>Handles that the write will need: to be given back when the answer is here.</returns>
    /// <exception cref="McpAuthException">ConfigurationUnavailable, VaultUnavailable, VaultLocked, …: nothing was spent yet.</exception>
    internal async Task<IDisposable> RehearseAsync(McpServer server, ServerItem item, CancellationToken cancellationToken)
    {
        await (await ChooseAsync(server, null, cancellationToken).ConfigureAwait(false)).RehearseAsync(ItemName(server),
            JsonSerializer.Serialize(item, CredentialJson.Default.ServerItem), cancellationToken).ConfigureAwait(false);
        return HandleReserve.Take();
    }

    /// <summary>
    /// Changes the facts of an item, for whoever holds the server's lock. Facts that lie, or are missing since their
    /// writer was killed, first say what the vault holds.
    /// </summary>
    internal Task ChangeFactsAsync(McpServer server, ServerItem item, Func<ServerFacts, ServerFacts> change) =>
        // Not to be cut short: what they say is already so.
        Facts.WriteAsync(server.Id, facts => change(facts is not null && Agree(facts, item, facts.Pending) ? facts
            : ServerFacts.Of(item, facts?.Vault ?? vaults.NameInUse!)), CancellationToken.None);

    /// <summary>Removes the item and its facts. An item in a vault that is gone stays there, and that is told.</summary>
    public async Task RemoveAsync(McpServer server, CancellationToken cancellationToken)
    {
        var facts = Facts.Read(server.Id);
        try
        {
            await (VaultOf(facts)?.RemoveAsync(ItemName(server), cancellationToken) ?? Task.CompletedTask).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (LeftBehind.IsGone(e))
        {
            await _left.AbandonAsync(ItemName(server), $"'{server.Name}'", facts?.Vault, e, cancellationToken).ConfigureAwait(false);
        }
        await _left.RemoveAsync(ItemName(server), facts?.Vault ?? vaults.NameInUse, cancellationToken).ConfigureAwait(false);
        await Facts.WriteAsync(server.Id, _ => null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Chooses the vault that the server's credential will be kept in and rehearses the write, before a person signs in for
    /// nothing. For the holder of the server's lock.
    /// </summary>
    /// <returns>What that vault holds for the server now; null if nothing.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationUnavailable.</exception>
    public async Task<ServerItem?> PrepareAsync(McpServer server, string? vaultName, CancellationToken cancellationToken)
    {
        var vault = await ChooseAsync(server, vaultName, cancellationToken).ConfigureAwait(false);
        var (item, _) = await ReadItemAsync(vault, server, cancellationToken).ConfigureAwait(false);
        vault.RequireTakesNewSecrets();
        await vault.RehearseAsync(ItemName(server), item is null ? null : JsonSerializer.Serialize(item, CredentialJson.Default.ServerItem), cancellationToken)
            .ConfigureAwait(false);
        return item;
    }

    /// <summary>The registration kept for an issuer, in the vault that the server's credential is or will be in.</summary>
    public async Task<KeptRegistration?> ReadRegistrationAsync(McpServer server, string issuer, string? vaultName,
        CancellationToken cancellationToken)
    {
        var vault = await ChooseAsync(server, vaultName, cancellationToken).ConfigureAwait(false);
        var kept = await GetAsync(vault, ClientItemName(issuer), CredentialJson.Default.KeptRegistration, cancellationToken).ConfigureAwait(false);
        return kept?.Issuer == issuer ? kept : null;
    }

    /// <summary>Keeps a registration. A doubt about its client stays; a doubt about the client before it ends.</summary>
    public async Task WriteRegistrationAsync(McpServer server, KeptRegistration registration, string? vaultName,
        CancellationToken cancellationToken)
    {
        var vault = await ChooseAsync(server, vaultName, cancellationToken).ConfigureAwait(false);
        var item = ClientItemName(registration.Issuer);
        // What the issuer has registered is used from now on, whether it is in the vault or waits for it.
        await vault.KeepAsync(item, JsonSerializer.Serialize(registration, CredentialJson.Default.KeptRegistration), isRenewal: false).ConfigureAwait(false);
        await Facts.WriteRegistrationAsync(item, f => (f ?? new RegistrationFacts { Issuer = registration.Issuer }).UsedBy(server.Id) with
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
    private static bool Agree(ServerFacts? facts, ServerItem? item, bool isPending)
    {
        var told = item is null ? new ServerFacts() : ServerFacts.Of(item, facts?.Vault ?? "") with { Pending = isPending };
        if (facts is null or { Kind: CredentialKind.None } || told.Kind == CredentialKind.None)
        {
            return told.Kind == (facts?.Kind ?? CredentialKind.None);
        }
        return told with { Scopes = null, HeaderNames = null, HasClientSecret = false } == facts with { Scopes = null, HeaderNames = null, HasClientSecret = false, RenewalUncertain = false, RenewalBegan = null, RenewalRefused = null, RenewalFailed = null, SeenOpen = false }
            && (told.Scopes ?? []).SequenceEqual(facts.Scopes ?? []);
    }

    /// <summary>Whether the facts name the secrets that are kept beside the credential. Those that an older version wrote name none.</summary>
    private static bool AgreeOnSecrets(ServerFacts? facts, ServerItem? item) => WithSecrets(facts, item) == facts;

    /// <summary>The facts with the secrets that are kept beside the credential, and everything else as it is.</summary>
    private static ServerFacts? WithSecrets(ServerFacts? facts, ServerItem? item)
    {
        if (facts is null)
        {
            return null;
        }
        var told = item is null ? new ServerFacts() : ServerFacts.Of(item, "");
        return facts with
        {
            HeaderNames = (told.HeaderNames ?? []).SequenceEqual(facts.HeaderNames ?? []) ? facts.HeaderNames : told.HeaderNames,
            HasClientSecret = told.HasClientSecret,
        };
    }

    /// <summary>
    /// Makes the facts say what the vault holds. Whoever has the server's lock is changing both: then it is theirs to
    /// do, or the next reader's.
    /// </summary>
    private async Task MendAsync(McpServer server, VaultWithPending vault, CancellationToken cancellationToken)
    {
        try
        {
            using var held = home.TryLock(LockName(server.Id));
            if (held is null || (Facts.Read(server.Id)?.Vault is { } now && now != vault.Name))
            {
                return;
            }
            var (item, isPending) = await ReadItemAsync(vault, server, cancellationToken).ConfigureAwait(false);
            await Facts.WriteAsync(server.Id, facts => Agree(facts, item, isPending) ? WithSecrets(facts, item)
                : item is null ? null : ServerFacts.Of(item, vault.Name) with { Pending = isPending },
                cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.ConfigurationUnavailable)
        {
            // A disk that is full or read-only takes no token away from who has just read it. The next reader mends.
        }
    }

    private static Task<(ServerItem? Item, bool IsPending)> ReadItemAsync(VaultWithPending vault, McpServer server, CancellationToken cancellationToken) =>
        FindAsync(vault, ItemName(server), CredentialJson.Default.ServerItem, cancellationToken);

    private Task<VaultWithPending> ChooseAsync(McpServer server, string? vaultName, CancellationToken cancellationToken) =>
        vaults.ChooseAsync(vaultName ?? Facts.Read(server.Id)?.Vault, cancellationToken);

    private VaultWithPending? VaultOf(ServerFacts? facts) => facts?.Vault is { } name ? vaults.Find(name) : vaults.InUse;

    private static async Task<T?> GetAsync<T>(VaultWithPending vault, string name, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class => (await FindAsync(vault, name, type, cancellationToken).ConfigureAwait(false)).Item;

    /// <summary>The item, and whether it waits for the vault.</summary>
    internal static async Task<(T? Item, bool IsPending)> FindAsync<T>(VaultWithPending vault, string name, JsonTypeInfo<T> type,
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

using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Core.Management;

/// <summary>Lists and selects vaults, and moves credentials between them.</summary>
public sealed class VaultManager
{
    private readonly AppEnvironment _environment;
    private readonly ServerCatalog _catalog;
    private readonly CredentialStore _store;
    private readonly VaultSelector _selector;

    internal VaultManager(AppEnvironment environment, ServerCatalog catalog, CredentialStore store, VaultSelector selector)
    {
        _environment = environment;
        _catalog = catalog;
        _store = store;
        _selector = selector;
    }

    /// <summary>Whether the encrypted file is protected by a passphrase, or would be if it were created now.</summary>
    /// <exception cref="McpAuthException">VaultCorrupt.</exception>
    public bool FileUsesPassphrase => _selector.File.UsesPassphrase;

    /// <summary>The file with the key of the encrypted file.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    internal string KeyFileName => _selector.File.KeyFileName;

    /// <summary>Lists the vaults of this system, and tells which is selected and why.</summary>
    public Task<IReadOnlyList<McpVault>> ListAsync(CancellationToken cancellationToken) => _selector.ListAsync(cancellationToken);

    /// <summary>Returns the name of the vault that contains a server's credential, or would contain it; null if no vault is selected yet.</summary>
    /// <param name="server">The server; null for the selected vault.</param>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public string? NameFor(McpServer? server) => (server is null ? null : _store.Index.Read(server.Id)?.Vault) ?? _selector.NameInUse;

    /// <summary>Returns for each server the vault that contains an item of it, or null. Reads the index once.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<string?> NamesOf(IEnumerable<McpServer> servers)
    {
        var index = _store.Index.Read();
        return [.. servers.Select(s => index.GetValueOrDefault(s.Id)?.Vault)];
    }

    /// <summary>Tests a vault by writing, reading and removing an item, and selects it for everything that is stored from now on.</summary>
    /// <returns>The names of servers whose credentials stay in another vault.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt.</exception>
    public async Task<IReadOnlyList<string>> UseAsync(string name, CancellationToken cancellationToken)
    {
        await _selector.UseAsync(name, cancellationToken).ConfigureAwait(false);
        var index = _store.Index.Read();
        return [.. _catalog.List().Where(s => index.GetValueOrDefault(s.Id)?.Vault is { } vault && vault != name).Select(s => s.Name)];
    }

    /// <summary>Selects a vault and moves all items of other vaults to it. Also completes a move that was interrupted.</summary>
    /// <returns>The number of items that were moved.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, SecretTooLarge. Each item is then still in its old vault or
    /// already in the new one.</exception>
    public async Task<int> MoveToAsync(string name, CancellationToken cancellationToken)
    {
        var moved = await new VaultMigration(_environment, _store, _selector).RunAsync(name, cancellationToken).ConfigureAwait(false);
        _selector.WarnOfVariable(name);
        return moved.Count;
    }

    /// <summary>Lists the vaults from which <see cref="MoveToAsync"/> would move items.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<string> SourcesOfMove(string name) => new VaultMigration(_environment, _store, _selector).Sources(name);

    /// <summary>Encrypts the encrypted file with another key.</summary>
    /// <param name="passphrase">The new passphrase; null for a new key in the key file.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="McpAuthException">InvalidValue: the passphrase is empty. VaultLocked, VaultCorrupt: the file keeps its key.</exception>
    public Task RekeyFileAsync(string? passphrase, CancellationToken cancellationToken) => passphrase is ""
        ? throw new McpAuthException(ErrorReason.InvalidValue, "The passphrase is empty.") : _selector.File.RekeyAsync(passphrase, cancellationToken);

    /// <summary>Opens the encrypted file with a passphrase for the rest of this process.</summary>
    /// <returns>False if no passphrase protects the file.</returns>
    /// <exception cref="McpAuthException">VaultLocked: the passphrase is wrong. VaultCorrupt.</exception>
    internal bool UnlockFile(string passphrase) => _selector.File.Unlock(passphrase);
}

using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.EncryptedFile;

namespace McpSm.Core;

/// <remarks>Where it is all kept, and what is not yet kept there.</remarks>
public sealed partial class Authenticator
{
    /// <summary>The vaults of this system, which is in use, and why.</summary>
    public Task<IReadOnlyList<McpVault>> VaultsAsync(CancellationToken cancellationToken) => _vaults.ListAsync(cancellationToken);

    /// <summary>The name of the vault that a server's credential is in, or would be kept in; null where none is chosen yet.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public string? VaultNameFor(McpServer? server) => (server is null ? null : _store.Index.Read(server.Id)?.Vault) ?? _vaults.NameInUse;

    /// <summary>For each server the vault in which something of it is, whatever that is bound to; null where nothing is. By one look at the facts.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<string?> VaultNamesOf(IEnumerable<McpServer> servers)
    {
        var facts = _store.Index.Read();
        return [.. servers.Select(s => facts.GetValueOrDefault(s.Id)?.Vault)];
    }

    /// <summary>Chooses the vault for what is kept from now on, after it wrote, read and removed.</summary>
    /// <returns>The names of servers whose credentials stay where they are.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt.</exception>
    public async Task<IReadOnlyList<string>> UseVaultAsync(string name, CancellationToken cancellationToken)
    {
        await _vaults.UseAsync(name, cancellationToken).ConfigureAwait(false);
        var facts = _store.Index.Read();
        return [.. Catalog.List().Where(s => facts.GetValueOrDefault(s.Id)?.Vault is { } kept && kept != name).Select(s => s.Name)];
    }

    /// <summary>Chooses the vault and takes all that is kept elsewhere along; also finishes a move that was cut off.</summary>
    /// <returns>How many items were moved.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, SecretTooLarge: each item is still where it was, or where it went.</exception>
    public async Task<int> MoveToVaultAsync(string name, CancellationToken cancellationToken)
    {
        var moved = await new VaultMigration(_environment, _store, _vaults).RunAsync(name, cancellationToken).ConfigureAwait(false);
        _vaults.WarnOfVariable(name);
        return moved.Count;
    }

    /// <summary>The vaults that such a move takes from.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<string> VaultsToMoveFrom(string name) => new VaultMigration(_environment, _store, _vaults).Sources(name);

    /// <summary>Whether the encrypted file is, or would be made, under a passphrase.</summary>
    /// <exception cref="McpAuthException">VaultCorrupt.</exception>
    public bool FileUsesPassphrase => File.UsesPassphrase;

    /// <summary>Puts the encrypted file under another key.</summary>
    /// <param name="passphrase">The new passphrase; null for a new key in the key file.</param>
    /// <exception cref="McpAuthException">InvalidValue: an empty passphrase. VaultLocked, VaultCorrupt; the file then opens as before.</exception>
    public Task RekeyFileAsync(string? passphrase, CancellationToken cancellationToken) => passphrase is ""
        ? throw new McpAuthException(ErrorReason.InvalidValue, "The passphrase is empty.") : File.RekeyAsync(passphrase, cancellationToken);

    /// <summary>What there is in plaintext for a server, which <see cref="ImportAsync"/> would take over.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt: a file of tokens does not parse.</exception>
    public IReadOnlyList<PlaintextSecret> FindPlaintext(McpServer server) => _import.Find(server);

    /// <summary>The ids in files of plaintext tokens that no server has.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<string> FindForeignPlaintext() =>
        [.. NpmTokenFile.Read(_environment).Select(t => t.ServerId).Except(Catalog.List().Select(s => s.Id)).Select(UntrustedText.Sanitize)];

    /// <summary>Takes the server's plaintext secrets into the vault, and out of the files once the vault has given them back.</summary>
    /// <param name="force">Also removes plaintext in whose place the vault has something else.</param>
    /// <exception cref="McpAuthException">The vault's reasons; ConfigurationCorrupt. The plaintext then still stands.</exception>
    public Task<IReadOnlyList<McpImport>> ImportAsync(McpServer server, string? vault, bool force, CancellationToken cancellationToken) =>
        _import.RunAsync(server, vault, force, cancellationToken);

    private EncryptedFileVault File => _vaults.File;
}

using System.Text.Json;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;

namespace McpSm.Core.Vaults.EncryptedFile;

/// <summary>
/// <c>credentials.enc</c>: all items in one encrypted file. Each change replaces the whole file under a lock between processes. The key is derived
/// from MCPSM_VAULT_PASSPHRASE, or stored in <c>credentials.key</c> next to the file.
/// </summary>
internal sealed class EncryptedFileVault : IVault
{
    public const string VaultName = "file";

    /// <summary>The file for items that could not be written to <c>credentials.enc</c>. It has the same format and key.</summary>
    private const string PendingFileName = "credentials.pending.enc";

    private readonly AppEnvironment _environment;
    private readonly Action<string>? _warn;
    private readonly string _path;
    private readonly EncryptedFileVault? _pendingVault;
    private readonly EncryptedFileKeys _keys;
    private bool _warnedOfKey;

    private static NextStep HowToRekey => new RekeyVaultStep(Passphrase: true);

    public EncryptedFileVault(AppEnvironment environment, Action<string>? warn = null) : this(environment, warn, "credentials.enc") =>
        _pendingVault = new EncryptedFileVault(environment, null, PendingFileName);

    private EncryptedFileVault(AppEnvironment environment, Action<string>? warn, string file)
    {
        (_environment, _warn, FileName, _path) = (environment, warn, file, environment.PathOf(file));
        _keys = new EncryptedFileKeys(environment, warn);
    }

    /// <summary>The name of the file in the configuration folder.</summary>
    internal string FileName { get; }

    /// <summary>The items that wait in this file for other vaults.</summary>
    internal PendingItems PendingForOthers => new(this);

    /// <summary>The items that wait in the second file for this vault.</summary>
    internal PendingItems PendingForThis => new(_pendingVault!);

    public string Name => VaultName;

    public string Protection => _keys.UsesPassphrase(Header())
        ? "Encrypted with a key derived from your passphrase. The file is useless without the passphrase."
        : _keys.IsReadableByOthers ? $"Encrypted with the key in {_keys.KeyFileName}, which other users of this machine can read. Protects only copies of "
          + "credentials.enc without the key."
        : $"Encrypted with the key in {_keys.KeyFileName}, which only you can read. Protects backups and copies of credentials.enc without the key, "
          + "but not against programs that run as you.";

    public Task<string?> GetAsync(string item, CancellationToken cancellationToken) =>
        Task.FromResult(Open().Items.GetValueOrDefault(item));

    public Task SetAsync(string item, string text, CancellationToken cancellationToken) =>
        ChangeAsync((header, items) =>
        {
            RequireTakesNewSecrets(header);
            items[item] = text;
            return true;
        }, cancellationToken);

    public Task ReplaceAsync(string item, string text, CancellationToken cancellationToken) =>
        ChangeAsync((header, items) =>
        {
            if (!items.ContainsKey(item))
            {
                RequireTakesNewSecrets(header);
            }
            else if (IsUnderUnexpectedKey(header) && !_warnedOfKey)
            {
                _warnedOfKey = true;
                _warn?.Invoke(_environment.Remedies.Format(
                    $"credentials.enc is protected with a key file although {EncryptedFileKeys.PassphraseVariable} is set. "
                    + $"Mcpsm continues to use the stored secrets. To store new secrets, protect the file with the passphrase: {HowToRekey}"));
            }
            items[item] = text;
            return true;
        }, cancellationToken);

    public void RequireTakesNewSecrets() => RequireTakesNewSecrets(AtomicFile.Read(_path) is { } file ? EncryptedFileFormat.ReadHeader(file) : null);

    public Task<bool> RemoveAsync(string item, CancellationToken cancellationToken) =>
        ChangeAsync((_, items) => items.Remove(item), cancellationToken);

    public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string>>([.. Open().Items.Keys.Where(k => !PendingItems.IsPending(k))]);

    /// <summary>Whether the file has items that wait for another vault. Needs no key. False for a file that cannot be read or is not ours.</summary>
    internal bool HasPending
    {
        get
        {
            try
            {
                // Check that the file exists first: every read of another vault comes here, and the file almost never exists.
                return File.Exists(_path) && AtomicFile.Read(_path) is { } file && EncryptedFileFormat.HasPending(file);
            }
            catch (McpAuthException)
            {
                // The vault in use is another one, and must work whatever the state of this file.
                return false;
            }
        }
    }

    /// <summary>Returns the texts of all items that wait for another vault.</summary>
    internal Task<IReadOnlyList<string>> PendingAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult<IReadOnlyList<string>>([.. Open().Items.Where(i => PendingItems.IsPending(i.Key)).Select(i => i.Value)]);
    }

    /// <summary>Stores an item that waits for another vault. A null text removes the item, and removes the file if it is then empty.</summary>
    internal async Task SetPendingAsync(string item, string? text, CancellationToken cancellationToken)
    {
        if (text is not null)
        {
            await ReplaceAsync(item, text, cancellationToken).ConfigureAwait(false);
            return;
        }
        await ChangeAsync((_, items) => items.Remove(item), cancellationToken, removesEmpty: true).ConfigureAwait(false);
    }

    private async Task<bool> ChangeAsync(Func<KeyHeader?, Dictionary<string, string>, bool> change, CancellationToken cancellationToken,
        bool removesEmpty = false)
    {
        ConfigurationFolder.Require(_environment, _warn);
        using var fileLock = await _environment.LockAsync("vault", cancellationToken).ConfigureAwait(false);
        var (header, items) = Open();
        if (!change(header, items))
        {
            return false;
        }
        if (removesEmpty && items.Count == 0)
        {
            AtomicFile.Remove(_path);
            return true;
        }
        Write(header is null ? _keys.Create() : _keys.Find(header.Value), items);
        return true;
    }

    /// <summary>
    /// Whether the file is protected with a key file although the user has set a passphrase. The file may be older than the passphrase. Or an
    /// attacker who can write to the folder, and so knows the key, has replaced the user's file.
    /// </summary>
    private bool IsUnderUnexpectedKey(KeyHeader? header) =>
        header is { IsPassphrase: false } && _environment.Variable(EncryptedFileKeys.PassphraseVariable) is not null;

    private void RequireTakesNewSecrets(KeyHeader? header)
    {
        if (IsUnderUnexpectedKey(header))
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable,
                $"The vault 'file' does not accept new secrets: credentials.enc is protected with a key file although "
                + $"{EncryptedFileKeys.PassphraseVariable} is set. "
                + "If you did not create that file, move it away. If you did, protect it with the passphrase.", HowToRekey);
        }
    }

    /// <summary>
    /// Encrypts the file with another key. At every moment the file opens with a key that exists: a new key is added to the key file before the first
    /// byte is encrypted with it, and old keys are removed after the last.
    /// </summary>
    /// <param name="passphrase">The new passphrase; null for a new key in the key file.</param>
    /// <param name="cancellationToken">Cancels the wait for the lock.</param>
    /// <exception cref="McpAuthException">VaultLocked: the current key is not available. Every error of a write.</exception>
    public Task RekeyAsync(string? passphrase, CancellationToken cancellationToken) =>
        VaultErrors.NamedAsync(Name, () => ChangeKeyAsync(passphrase, cancellationToken));

    private async Task ChangeKeyAsync(string? passphrase, CancellationToken cancellationToken)
    {
        ConfigurationFolder.Require(_environment, _warn);
        using var fileLock = await _environment.LockAsync("vault", cancellationToken).ConfigureAwait(false);
        var (_, items) = Open();
        var (pendingHeader, pending) = _pendingVault!.Open();
        var key = passphrase is null ? _keys.CreateInKeyFile() : EncryptedFileKeys.CreateFrom(passphrase);
        Write(key, items);
        if (pendingHeader is not null)
        {
            _pendingVault.Write(key, pending);
        }
        _keys.DropOldKeys(key);
    }

    /// <summary>Whether the existing file, or a new one, is protected with a passphrase.</summary>
    /// <exception cref="McpAuthException">VaultCorrupt.</exception>
    public bool UsesPassphrase => VaultErrors.Named(Name,
        () => _keys.UsesPassphrase(AtomicFile.Read(_path) is { } file ? EncryptedFileFormat.ReadHeader(file) : null));

    /// <summary>
    /// Unlocks the file for the rest of this process. Returns false if the file does not exist or is not protected with a passphrase.
    /// </summary>
    /// <exception cref="McpAuthException">VaultLocked: the passphrase is wrong. VaultCorrupt.</exception>
    public bool Unlock(string passphrase) => VaultErrors.Named(Name, () =>
    {
        if (AtomicFile.Read(_path) is not { } file || EncryptedFileFormat.ReadHeader(file) is not { IsPassphrase: true } source)
        {
            return false;
        }
        EncryptedFileKeys.Unlock(source, passphrase);
        return true;
    });

    /// <summary>Checks a file that the user wants to use in place of <c>credentials.key</c>.</summary>
    /// <exception cref="McpAuthException">InvalidValue, VaultCorrupt, VaultLocked.</exception>
    public void RequireKeyFile(string path) =>
        new EncryptedFileKeys(_environment, null, path).RequireUsable(AtomicFile.Read(_path) is { } file ? EncryptedFileFormat.ReadHeader(file) : null);

    /// <summary>The key file, for messages.</summary>
    public string KeyFileName => _keys.KeyFileName;

    private void Write(VaultKey key, Dictionary<string, string> items) => AtomicFile.Replace(_path,
        EncryptedFileFormat.Seal(key, JsonSerializer.SerializeToUtf8Bytes(items, VaultJsonContext.Default.DictionaryStringString),
            items.Keys.Any(PendingItems.IsPending)));

    private (KeyHeader? Header, Dictionary<string, string> Items) Open()
    {
        for (var retries = 3; ; retries--)
        {
            if (AtomicFile.Read(_path) is not { } file)
            {
                return (null, new(StringComparer.Ordinal));
            }
            try
            {
                return Open(file);
            }
            catch (McpAuthException) when (retries > 0 && AtomicFile.Read(_path) is { } current && !current.AsSpan().SequenceEqual(file))
            {
                // Another process changed the key after the file was read and before the key file was read.
            }
        }
    }

    private (KeyHeader? Header, Dictionary<string, string> Items) Open(byte[] file)
    {
        ConfigurationFolder.Require(_environment, _warn);
        var header = EncryptedFileFormat.ReadHeader(file);
        var content = EncryptedFileFormat.Open(_keys.Find(header), file);
        try
        {
            return (header, JsonSerializer.Deserialize(content, VaultJsonContext.Default.DictionaryStringString)
                ?? throw new JsonException());
        }
        catch (JsonException)
        {
            // The content is authentic, so Mcpsm wrote it: only a later build with the same format version can cause this.
            throw EncryptedFileFormat.Damaged("this version of Mcpsm cannot read its content");
        }
    }

    private KeyHeader? Header()
    {
        try
        {
            return AtomicFile.Read(_path) is { } file ? EncryptedFileFormat.ReadHeader(file) : null;
        }
        catch (McpAuthException)
        {
            // The header is needed only for the Protection text. The next use of the vault reports the error.
            return null;
        }
    }
}

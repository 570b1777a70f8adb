using System.Text.Json;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;

namespace McpSm.Core.Vaults.EncryptedFile;

/// <summary>
/// <c>credentials.enc</c>: all items in one encrypted file, replaced whole on each change under a lock that holds
/// across processes. Its key comes from MCPSM_VAULT_PASSPHRASE, or from <c>credentials.key</c> beside it.
/// </summary>
public sealed class EncryptedFileVault : IVault
{
    public const string VaultName = "file";

    /// <summary>What waits for the file itself is in a second one, made and written in the same way.</summary>
    private const string PendingFileName = "credentials.pending.enc";

    private readonly AppEnvironment _environment;
    private readonly Action<string>? _warn;
    private readonly string _path;
    private readonly EncryptedFileVault? _beside;
    private readonly EncryptedFileKeys _keys;
    private bool _reported;

    private static NextStep HowToRekey => new RekeyVaultStep(Passphrase: true);

    public EncryptedFileVault(AppEnvironment environment, Action<string>? warn = null) : this(environment, warn, "credentials.enc") =>
        _beside = new EncryptedFileVault(environment, null, PendingFileName);

    private EncryptedFileVault(AppEnvironment environment, Action<string>? warn, string file)
    {
        (_environment, _warn, FileName, _path) = (environment, warn, file, environment.PathOf(file));
        _keys = new EncryptedFileKeys(environment, warn);
    }

    /// <summary>The name of the file in the configuration folder.</summary>
    internal string FileName { get; }

    /// <summary>What waits for other vaults.</summary>
    internal PendingItems PendingForOthers => new(this);

    /// <summary>What waits for this one.</summary>
    internal PendingItems PendingForThis => new(_beside!);

    public string Name => VaultName;

    public string Protection => _keys.UsesPassphrase(Header())
        ? "Encrypted with a key made of your passphrase: whoever has the file still needs the passphrase."
        : _keys.IsOpenToOthers ? "Encrypted with the key in credentials.key, which others on this machine can read: protects copies of credentials.enc alone."
        : "Encrypted with the key in credentials.key, which only you can read: protects backups and copies of "
          + "credentials.enc alone, not against programs that run as you.";

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
            else if (IsUnderUnexpectedKey(header) && !_reported)
            {
                _reported = true;
                _warn?.Invoke(_environment.Remedies.Format(
                    $"credentials.enc is under its key file although {EncryptedFileKeys.PassphraseVariable} is set. What it holds goes on being used; "
                    + $"for new secrets, put it under the passphrase: {HowToRekey}"));
            }
            items[item] = text;
            return true;
        }, cancellationToken);

    public void RequireTakesNewSecrets() => RequireTakesNewSecrets(AtomicFile.Read(_path) is { } file ? EncryptedFileFormat.ReadHeader(file) : null);

    public Task<bool> RemoveAsync(string item, CancellationToken cancellationToken) =>
        ChangeAsync((_, items) => items.Remove(item), cancellationToken);

    public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string>>([.. Open().Items.Keys.Where(k => !PendingItems.IsPending(k))]);

    /// <summary>Whether items wait here for another vault. Needs no key. A file that cannot be read or is not ours holds none.</summary>
    internal bool HasPending
    {
        get
        {
            try
            {
                // Asked first: every read of another vault looks here, and there is almost never such a file.
                return File.Exists(_path) && AtomicFile.Read(_path) is { } file && EncryptedFileFormat.HasPending(file);
            }
            catch (McpAuthException)
            {
                // Another vault is in use, and works whatever became of this file.
                return false;
            }
        }
    }

    /// <summary>The texts of all items that wait for another vault.</summary>
    internal Task<IReadOnlyList<string>> PendingAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string>>([.. Open().Items.Where(i => PendingItems.IsPending(i.Key)).Select(i => i.Value)]);

    /// <summary>Keeps an item that waits for another vault; null removes it, and the file too if nothing else is in it.</summary>
    internal async Task SetPendingAsync(string item, string? text, CancellationToken cancellationToken)
    {
        if (text is not null)
        {
            await ReplaceAsync(item, text, cancellationToken).ConfigureAwait(false);
            return;
        }
        await ChangeAsync((_, items) => items.Remove(item), cancellationToken, removesEmpty: true).ConfigureAwait(false);
    }

    private async Task<bool> ChangeAsync(Func<KeyHeader?, Dictionary<string, string>, bool> change, CancellationToken cancellationToken, bool removesEmpty = false)
    {
        ConfigurationFolder.Require(_environment, _warn);
        using var held = await _environment.LockAsync("vault", cancellationToken).ConfigureAwait(false);
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
    /// Whether the file is under a key file although the user has set a passphrase. It may be older than the passphrase. Or someone
    /// who can write to the folder, and so knows that key, has put it in place of the user's own.
    /// </summary>
    private bool IsUnderUnexpectedKey(KeyHeader? header) => header is { IsPassphrase: false } && _environment.Variable(EncryptedFileKeys.PassphraseVariable) is not null;

    private void RequireTakesNewSecrets(KeyHeader? header)
    {
        if (IsUnderUnexpectedKey(header))
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable,
                $"credentials.enc takes no new secret: it is under a key file although {EncryptedFileKeys.PassphraseVariable} is set. "
                + "If you did not make that file, move it away. If you did, put it under the passphrase.", HowToRekey);
        }
    }

    /// <summary>
    /// Puts the file under another key. At every moment it opens with the old one or the new one: a new key is in the
    /// key file before the first byte is written under it, and old ones leave after the last.
    /// </summary>
    /// <param name="passphrase">The new passphrase; null for a new key in the key file.</param>
    /// <exception cref="McpAuthException">VaultLocked: the present key is not to be had; and what every change may throw.</exception>
    public Task RekeyAsync(string? passphrase, CancellationToken cancellationToken) =>
        VaultErrors.NamedAsync(Name, () => ChangeKeyAsync(passphrase, cancellationToken));

    private async Task ChangeKeyAsync(string? passphrase, CancellationToken cancellationToken)
    {
        ConfigurationFolder.Require(_environment, _warn);
        using var held = await _environment.LockAsync("vault", cancellationToken).ConfigureAwait(false);
        var (_, items) = Open();
        var (pendingHeader, pending) = _beside!.Open();
        var key = passphrase is null ? _keys.CreateInKeyFile() : EncryptedFileKeys.CreateFrom(passphrase);
        Write(key, items);
        if (pendingHeader is not null)
        {
            _beside.Write(key, pending);
        }
        _keys.DropOldKeys(key);
    }

    /// <summary>Whether the file that there is, or would be made, is under a passphrase.</summary>
    /// <exception cref="McpAuthException">VaultCorrupt.</exception>
    public bool UsesPassphrase => VaultErrors.Named(Name,
        () => _keys.UsesPassphrase(AtomicFile.Read(_path) is { } file ? EncryptedFileFormat.ReadHeader(file) : null));

    /// <summary>Opens the file for the rest of this process; false where it is under no passphrase, or is not there.</summary>
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

    private void Write(VaultKey key, Dictionary<string, string> items) => AtomicFile.Replace(_path,
        EncryptedFileFormat.Seal(key, JsonSerializer.SerializeToUtf8Bytes(items, VaultJsonContext.Default.DictionaryStringString),
            items.Keys.Any(PendingItems.IsPending)));

    private (KeyHeader? Header, Dictionary<string, string> Items) Open()
    {
        for (var again = 3; ; again--)
        {
            if (AtomicFile.Read(_path) is not { } file)
            {
                return (null, new(StringComparer.Ordinal));
            }
            try
            {
                return Open(file);
            }
            catch (McpAuthException) when (again > 0 && AtomicFile.Read(_path) is { } now && !now.AsSpan().SequenceEqual(file))
            {
                // Put under another key between the reading of the file and that of its key.
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
            // Authenticated, so we wrote it: a later build with the same version number is the only way here.
            throw EncryptedFileFormat.Damaged("its content is not what this version writes");
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
            // Only a sentence about protection is wanted here; using the vault reports what is wrong with it.
            return null;
        }
    }
}

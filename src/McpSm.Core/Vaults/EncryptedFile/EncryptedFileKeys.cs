using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;

namespace McpSm.Core.Vaults.EncryptedFile;

/// <summary>
/// The key of the encrypted file. It is derived from the passphrase in MCPSM_VAULT_PASSPHRASE (PBKDF2-HMAC-SHA256), or stored in
/// <c>credentials.key</c> with mode 0600 (on Windows protected with DPAPI), or in a file that the user names. The header of the encrypted file says
/// whether there is a passphrase.
/// </summary>
/// <param name="environment">The environment.</param>
/// <param name="warn">Receives a warning about the key file.</param>
/// <param name="namedFile">The key file; null for that of the settings, or <c>credentials.key</c>.</param>
internal sealed class EncryptedFileKeys(AppEnvironment environment, Action<string>? warn = null, string? namedFile = null)
{
    public const int DefaultIterations = 600_000;

    /// <summary>A lower count would let a planted file weaken the key derivation so much that the passphrase can be guessed.</summary>
    public const int MinIterations = 100_000;

    /// <summary>A higher count would let a planted file keep the processor busy for a minute.</summary>
    public const int MaxIterations = 2_000_000;

    internal const string PassphraseVariable = "MCPSM_VAULT_PASSPHRASE";

    private const UnixFileMode NonOwnerModes = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private const int SecretLength = 32;
    private const string UsualFile = "credentials.key";

    // The settings are read when the key is needed: a status needs none.
    private readonly Lazy<string?> _namedFile = new(() =>
        (namedFile ?? environment.Find(UserSetting.VaultKeyFile)?.Text) is { } path ? Path.GetFullPath(path) : null);

    // The keys that Unlock derived, by file. A key opens only its file; the passphrase is not kept.
    private static readonly ConcurrentDictionary<string, VaultKey> Unlocked = new(StringComparer.Ordinal);

    private VaultKey? _key;

    /// <summary>The key file, for messages.</summary>
    public string KeyFileName => _namedFile.Value is { } path ? UntrustedText.Sanitize(path) : UsualFile;

    private string KeyFile => _namedFile.Value ?? environment.PathOf(UsualFile);

    /// <summary>Returns whether the file with this header, or a new file, is protected with a passphrase.</summary>
    public bool UsesPassphrase(KeyHeader? header) => header?.IsPassphrase ?? environment.Variable(PassphraseVariable) is not null;

    /// <summary>Returns the key for a new file.</summary>
    public VaultKey Create() => environment.Variable(PassphraseVariable) is { } passphrase ? CreateFrom(passphrase)
        : CreateFrom(ReadKeyFile() is [var secret, ..] ? secret : _namedFile.Value is null ? AddToKeyFile([]) : throw Missing());

    /// <summary>Returns a key derived from the passphrase, for a file that is rewritten.</summary>
    public static VaultKey CreateFrom(string passphrase)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        return FromSecret(DeriveFromPassphrase(passphrase, salt, DefaultIterations), new KeyHeader(true, DefaultIterations, salt, []));
    }

    /// <summary>
    /// Adds a new key to the key file, for a file that is rewritten. The old keys stay in the key file until <see cref="DropOldKeys"/>: until then
    /// <c>credentials.enc</c> may be encrypted with either.
    /// </summary>
    public VaultKey CreateInKeyFile() => CreateFrom(AddToKeyFile(ReadKeyFile()));

    /// <summary>Removes all other keys from the key file, after the encrypted file was written with this key.</summary>
    public void DropOldKeys(VaultKey key)
    {
        if (_namedFile.Value is not null)
        {
            // Another folder, or a backup, may need the keys in a file that the user provides.
            return;
        }
        if (key.Source.IsPassphrase)
        {
            AtomicFile.Remove(KeyFile);
        }
        else
        {
            WriteKeyFile([.. ReadKeyFile().Where(secret => IsOf(secret, key.Source))]);
        }
    }

    /// <summary>Returns the key of an existing file.</summary>
    /// <exception cref="McpAuthException">VaultLocked: the passphrase is missing or wrong, or the key file does not contain the key.</exception>
    public VaultKey Find(KeyHeader source)
    {
        // Deriving a key from a passphrase takes several hundred milliseconds, so it is done once per process and file.
        if (_key is { } known && known.Source.Salt.AsSpan().SequenceEqual(source.Salt)
            && known.Source.KeyCheckValue.AsSpan().SequenceEqual(source.KeyCheckValue))
        {
            return known;
        }
        return _key = Unlocked.GetValueOrDefault(IdOf(source)) ?? (source.IsPassphrase ? FindByPassphrase(source) : FindInKeyFile(source));
    }

    /// <summary>Unlocks the file with this header for the rest of this process.</summary>
    /// <exception cref="McpAuthException">VaultLocked: the passphrase is wrong.</exception>
    public static void Unlock(KeyHeader source, string passphrase)
    {
        var secret = DeriveFromPassphrase(passphrase, source.Salt, source.Iterations);
        Unlocked[IdOf(source)] = IsOf(secret, source) ? FromSecret(secret, source)
            : throw new McpAuthException(ErrorReason.VaultLocked, "credentials.enc stays locked: the passphrase is wrong.");
    }

    private static string IdOf(KeyHeader source) => Convert.ToHexString([.. source.Salt, .. source.KeyCheckValue]);

    private VaultKey FindByPassphrase(KeyHeader source)
    {
        var passphrase = environment.Variable(PassphraseVariable) ?? throw Locked("the passphrase is not set");
        var secret = DeriveFromPassphrase(passphrase, source.Salt, source.Iterations);
        return IsOf(secret, source) ? FromSecret(secret, source) : throw Locked("the passphrase is wrong");
    }

    private VaultKey FindInKeyFile(KeyHeader source)
    {
        var secrets = ReadKeyFile();
        if (secrets.Count == 0)
        {
            throw _namedFile.Value is not null ? Missing() : new McpAuthException(ErrorReason.VaultLocked,
                $"credentials.enc cannot be decrypted: the key file {KeyFileName} is missing.",
                $"Restore {KeyFileName}, or move credentials.enc away and sign in again.");
        }
        return secrets.FirstOrDefault(secret => IsOf(secret, source)) is { } matching ? FromSecret(matching, source)
            : throw new McpAuthException(ErrorReason.VaultLocked,
                $"credentials.enc cannot be decrypted: {KeyFileName} contains a different key.",
                $"Restore the matching {KeyFileName}, or move credentials.enc away and sign in again.");
    }

    // Only the user creates this file: a missing one may be on a volume that is not mounted yet.
    private McpAuthException Missing() => new(ErrorReason.VaultLocked, $"The key file {KeyFileName} does not exist.",
        "Restore it. For a new key: openssl rand -base64 32");

    /// <summary>Checks a file that the user wants to use as the key file.</summary>
    /// <param name="source">The header of the encrypted file; null if there is no such file yet.</param>
    /// <exception cref="McpAuthException">InvalidValue, VaultCorrupt, VaultLocked: the file does not contain the key of the encrypted file.</exception>
    public void RequireUsable(KeyHeader? source)
    {
        if (!File.Exists(KeyFile))
        {
            throw Unusable("it does not exist or is not accessible", "Create it with: openssl rand -base64 32");
        }
        if (!OperatingSystem.IsWindows() && UnixFile.Status(KeyFile) is { } status)
        {
            if (FileOwner.IsForeign(status))
            {
                throw Unusable("it belongs to another user", "Use a file of your own.");
            }
            if ((status.Mode & NonOwnerModes) != UnixFileMode.None)
            {
                throw Unusable("other users may read or change it", $"chmod 600 '{KeyFileName}'");
            }
        }
        try
        {
            ReadKeyFile();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable("it cannot be read", "Check its permissions.");
        }
        if (source is { IsPassphrase: false } present)
        {
            FindInKeyFile(present);
        }
    }

    private McpAuthException Unusable(string why, string remedy) =>
        new(ErrorReason.InvalidValue, $"Cannot use '{KeyFileName}' as the key file: {why}.", remedy);

    private static VaultKey CreateFrom(byte[] secret) =>
        FromSecret(secret, new KeyHeader(false, 0, RandomNumberGenerator.GetBytes(16), []));

    private static bool IsOf(byte[] secret, KeyHeader source) =>
        CryptographicOperations.FixedTimeEquals(Derive(secret, source, 16, "check"), source.KeyCheckValue);

    private static VaultKey FromSecret(byte[] secret, KeyHeader source) =>
        new(source with { KeyCheckValue = Derive(secret, source, 16, "check") }, Derive(secret, source, 32, "key"));

    private static byte[] Derive(byte[] secret, KeyHeader source, int length, string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, length, source.Salt, Encoding.ASCII.GetBytes("mcpsm credentials.enc " + purpose));

    private static byte[] DeriveFromPassphrase(string passphrase, byte[] salt, int iterations) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(passphrase), salt, iterations, HashAlgorithmName.SHA256, 32);

    /// <summary>Reads the secrets in the key file, one a line, the newest first. Returns an empty list if the file does not exist.</summary>
    private IReadOnlyList<byte[]> ReadKeyFile()
    {
        if (AtomicFile.Read(KeyFile) is not { } content)
        {
            return [];
        }
        ConfigurationFolder.RequireKey(environment, KeyFile);
        RestrictKeyFileAccess();
        try
        {
            var secrets = Encoding.ASCII.GetString(content).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(line => Unprotect(Convert.FromBase64String(line))).ToList();
            return secrets.Count > 0 && secrets.All(s => s.Length == SecretLength) ? secrets : throw new FormatException();
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            throw new McpAuthException(ErrorReason.VaultCorrupt, $"{KeyFileName} is damaged. The file was not changed.",
                "Restore the file from a backup, or move it and credentials.enc away and sign in again.", e);
        }
    }

    /// <summary>Whether other users of this machine can read the key file.</summary>
    public bool IsReadableByOthers => Allows(KeyFile, NonOwnerModes)
        && Allows(Path.GetDirectoryName(KeyFile)!, UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);

    /// <summary>Removes access for other users from a key file, such as one restored from a backup, and warns if other users could read it.</summary>
    private void RestrictKeyFileAccess()
    {
        if (OperatingSystem.IsWindows() || !Allows(KeyFile, NonOwnerModes))
        {
            return;
        }
        var wasReadable = IsReadableByOthers;
        try
        {
            File.SetUnixFileMode(KeyFile, File.GetUnixFileMode(KeyFile) & ~NonOwnerModes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The file belongs to another user, or the file system is read-only, as in containers. The Protection text tells the user.
            return;
        }
        if (wasReadable && !IsReadableByOthers)
        {
            warn?.Invoke(environment.Remedies.Format(
                $"Other users of this machine could read {KeyFileName}. Mcpsm has restricted its permissions to your user. If the key may have leaked, "
                + $"replace it with: {new RekeyVaultStep(Passphrase: false)}"));
        }
    }

    private static bool Allows(string path, UnixFileMode modes)
    {
        try
        {
            return !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & modes) != UnixFileMode.None;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The file does not exist, or was just removed.
            return false;
        }
    }

    private byte[] AddToKeyFile(IReadOnlyList<byte[]> oldSecrets)
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        WriteKeyFile([secret, .. oldSecrets]);
        return secret;
    }

    private void WriteKeyFile(IReadOnlyList<byte[]> secrets) => AtomicFile.Replace(KeyFile,
        Encoding.ASCII.GetBytes(string.Concat(secrets.Select(s => Convert.ToBase64String(Protect(s)) + "\n"))));

    // A file that the user provides has plain keys, which other machines can use too.
    private byte[] Protect(byte[] secret) => OperatingSystem.IsWindows() && _namedFile.Value is null
        ? ProtectedData.Protect(secret, null, DataProtectionScope.CurrentUser) : secret;

    private byte[] Unprotect(byte[] protectedSecret) => OperatingSystem.IsWindows() && (_namedFile.Value is null || protectedSecret.Length != SecretLength)
        ? ProtectedData.Unprotect(protectedSecret, null, DataProtectionScope.CurrentUser) : protectedSecret;

    private static McpAuthException Locked(string reason) => new(ErrorReason.VaultLocked,
        $"credentials.enc is locked: {reason}.", $"Set {PassphraseVariable} to the passphrase, then run the command again.");
}

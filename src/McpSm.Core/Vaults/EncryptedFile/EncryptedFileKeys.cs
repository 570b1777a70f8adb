using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;

namespace McpSm.Core.Vaults.EncryptedFile;

/// <summary>
/// The key of the encrypted file: made of the passphrase in MCPSM_VAULT_PASSPHRASE (PBKDF2-HMAC-SHA256), or kept
/// in <c>credentials.key</c>, mode 0600 (on Windows under DPAPI). Which of the two, the file's header says.
/// </summary>
internal sealed class EncryptedFileKeys(AppEnvironment environment, Action<string>? warn = null)
{
    public const int DefaultIterations = 600_000;

    /// <summary>Fewer would let a planted file have the passphrase stretched so little that it can be guessed.</summary>
    public const int MinIterations = 100_000;

    /// <summary>More would let a planted file keep the processor busy for a minute.</summary>
    public const int MaxIterations = 2_000_000;

    internal const string PassphraseVariable = "MCPSM_VAULT_PASSPHRASE";

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private readonly string _keyFile = environment.PathOf("credentials.key");

    // What Unlock found. The keys, never the passphrase: they open that one file until it gets another key.
    private static readonly ConcurrentDictionary<string, VaultKey> Unlocked = new(StringComparer.Ordinal);

    private VaultKey? _key;

    /// <summary>Whether the file of that header, or a new file, is under a passphrase.</summary>
    public bool UsesPassphrase(KeyHeader? header) => header?.IsPassphrase ?? environment.Variable(PassphraseVariable) is not null;

    /// <summary>The key for a new file.</summary>
    public VaultKey Create() => environment.Variable(PassphraseVariable) is { } passphrase ? CreateFrom(passphrase)
        : CreateFrom(ReadKeyFile() is [var secret, ..] ? secret : AddToKeyFile([]));

    /// <summary>A key of that passphrase, for a file that is written anew.</summary>
    public static VaultKey CreateFrom(string passphrase)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        return FromSecret(DeriveFromPassphrase(passphrase, salt, DefaultIterations), new KeyHeader(true, DefaultIterations, salt, []));
    }

    /// <summary>
    /// A new key of the key file, for a file that is written anew. The old ones stay in the key file until
    /// <see cref="DropOldKeys"/>: until then either may be the one that opens <c>credentials.enc</c>.
    /// </summary>
    public VaultKey CreateInKeyFile() => CreateFrom(AddToKeyFile(ReadKeyFile()));

    /// <summary>After the file was written under a new key: leaves only that in the key file.</summary>
    public void DropOldKeys(VaultKey now)
    {
        if (now.Source.IsPassphrase)
        {
            AtomicFile.Remove(_keyFile);
        }
        else
        {
            WriteKeyFile([.. ReadKeyFile().Where(secret => IsOf(secret, now.Source))]);
        }
    }

    /// <summary>The key of an existing file.</summary>
    /// <exception cref="McpAuthException">VaultLocked: no passphrase, or not the right one, or no fitting key file.</exception>
    public VaultKey Find(KeyHeader source)
    {
        // Stretching a passphrase takes a good part of a second: once for a process and file is enough.
        if (_key is { } known && known.Source.Salt.AsSpan().SequenceEqual(source.Salt)
            && known.Source.KeyCheckValue.AsSpan().SequenceEqual(source.KeyCheckValue))
        {
            return known;
        }
        return _key = Unlocked.GetValueOrDefault(IdOf(source)) ?? (source.IsPassphrase ? FindByPassphrase(source) : FindInKeyFile(source));
    }

    /// <summary>Opens the file of that header for the rest of this process.</summary>
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
        var secret = DeriveFromPassphrase(environment.Variable(PassphraseVariable) ?? throw Locked("no passphrase is given"), source.Salt, source.Iterations);
        return IsOf(secret, source) ? FromSecret(secret, source) : throw Locked("the passphrase is wrong");
    }

    private VaultKey FindInKeyFile(KeyHeader source)
    {
        var secrets = ReadKeyFile();
        if (secrets.Count == 0)
        {
            throw new McpAuthException(ErrorReason.VaultLocked,
                "credentials.enc cannot be opened: its key file credentials.key is missing.",
                "Restore credentials.key, or move credentials.enc away and sign in again.");
        }
        return secrets.FirstOrDefault(secret => IsOf(secret, source)) is { } fitting ? FromSecret(fitting, source)
            : throw new McpAuthException(ErrorReason.VaultLocked,
                "credentials.enc cannot be opened: credentials.key is not its key.",
                "Restore the credentials.key that belongs to it, or move credentials.enc away and sign in again.");
    }

    private static VaultKey CreateFrom(byte[] secret) =>
        FromSecret(secret, new KeyHeader(false, 0, RandomNumberGenerator.GetBytes(16), []));

    private static bool IsOf(byte[] secret, KeyHeader source) =>
        CryptographicOperations.FixedTimeEquals(Derive(secret, source, 16, "check"), source.KeyCheckValue);

    private static VaultKey FromSecret(byte[] secret, KeyHeader source) =>
        new(source with { KeyCheckValue = Derive(secret, source, 16, "check") }, Derive(secret, source, 32, "key"));

    private static byte[] Derive(byte[] secret, KeyHeader source, int length, string purpose) =>
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, length, source.Salt, Encoding.ASCII.GetBytes("mcpsm credentials.enc " + purpose));

    private static byte[] DeriveFromPassphrase(string passphrase, byte[] salt, int rounds) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(passphrase), salt, rounds, HashAlgorithmName.SHA256, 32);

    /// <summary>The secrets in the key file, a line each, the newest first; none where there is no such file.</summary>
    private IReadOnlyList<byte[]> ReadKeyFile()
    {
        if (AtomicFile.Read(_keyFile) is not { } content)
        {
            return [];
        }
        ConfigurationFolder.RequireKey(environment, _keyFile);
        CloseToOthers();
        try
        {
            var secrets = Encoding.ASCII.GetString(content).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(line => Unprotect(Convert.FromBase64String(line))).ToList();
            return secrets.Count > 0 && secrets.All(s => s.Length == 32) ? secrets : throw new FormatException();
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            throw new McpAuthException(ErrorReason.VaultCorrupt, "credentials.key is damaged. It was not changed.",
                "Restore it from a backup, or move it and credentials.enc away and sign in again.", e);
        }
    }

    /// <summary>Whether others on this machine can read the key file.</summary>
    public bool IsOpenToOthers => Allows(_keyFile, Others) && Allows(environment.Folder, UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);

    /// <summary>Closes a key file that came back from a backup or a copy with the mode of any file, and says so where that was open.</summary>
    private void CloseToOthers()
    {
        if (OperatingSystem.IsWindows() || !Allows(_keyFile, Others))
        {
            return;
        }
        var wasOpen = IsOpenToOthers;
        try
        {
            File.SetUnixFileMode(_keyFile, File.GetUnixFileMode(_keyFile) & ~Others);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another user's, or on a disk that is read-only, as in containers: what the vault protects against says so.
            return;
        }
        if (wasOpen && !IsOpenToOthers)
        {
            warn?.Invoke(environment.Remedies.Format(
                $"Others on this machine could read credentials.key; from now on you alone can. If somebody may have: "
                + $"{new RekeyVaultStep(Passphrase: false)}"));
        }
    }

    private static bool Allows(string path, UnixFileMode any)
    {
        try
        {
            return !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & any) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Not there, perhaps since a moment ago.
            return false;
        }
    }

    private byte[] AddToKeyFile(IReadOnlyList<byte[]> kept)
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        WriteKeyFile([secret, .. kept]);
        return secret;
    }

    private void WriteKeyFile(IReadOnlyList<byte[]> secrets) => AtomicFile.Replace(_keyFile,
        Encoding.ASCII.GetBytes(string.Concat(secrets.Select(s => Convert.ToBase64String(Protect(s)) + "\n"))));

    private static byte[] Protect(byte[] secret) => OperatingSystem.IsWindows()
        ? ProtectedData.Protect(secret, null, DataProtectionScope.CurrentUser) : secret;

    private static byte[] Unprotect(byte[] kept) => OperatingSystem.IsWindows()
        ? ProtectedData.Unprotect(kept, null, DataProtectionScope.CurrentUser) : kept;

    private static McpAuthException Locked(string why) => new(ErrorReason.VaultLocked,
        $"credentials.enc is locked: {why}.", $"Set {PassphraseVariable} to the passphrase, then run the command again.");
}

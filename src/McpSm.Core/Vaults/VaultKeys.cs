using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Vaults;

/// <summary>
/// The key of the encrypted file: made of the passphrase in MCPSM_VAULT_PASSPHRASE (PBKDF2-HMAC-SHA256), or kept
/// in <c>credentials.key</c>, mode 0600 (on Windows under DPAPI). Which of the two, the file's header says.
/// </summary>
internal sealed class VaultKeys(Home home)
{
    public const int Rounds = 600_000;

    /// <summary>More than this would let a planted file keep the processor busy for minutes.</summary>
    public const int MostRounds = 10_000_000;

    private const string PassphraseVariable = "MCPSM_VAULT_PASSPHRASE";

    private readonly string _keyFile = home.PathOf("credentials.key");

    private VaultKey? _found;

    /// <summary>Whether the file of that header, or a new file, is under a passphrase.</summary>
    public bool UsesPassphrase(KeySource? header) => header?.IsPassphrase ?? home.Variable(PassphraseVariable) is not null;

    /// <summary>The key for a new file.</summary>
    public VaultKey Create()
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        return home.Variable(PassphraseVariable) is { } passphrase
            ? FromSecret(Stretch(passphrase, salt, Rounds), new KeySource(true, Rounds, salt, []))
            : FromSecret(ReadKeyFile() ?? NewKeyFile(), new KeySource(false, 0, salt, []));
    }

    /// <summary>The key of an existing file.</summary>
    /// <exception cref="McpAuthException">VaultLocked: no passphrase, or not the right one, or no fitting key file.</exception>
    public VaultKey Find(KeySource source)
    {
        // Stretching a passphrase takes a good part of a second: once for a process and file is enough.
        if (_found is { } known && known.Source.Salt.AsSpan().SequenceEqual(source.Salt)
            && known.Source.Check.AsSpan().SequenceEqual(source.Check))
        {
            return known;
        }
        var secret = source.IsPassphrase
            ? Stretch(home.Variable(PassphraseVariable) ?? throw Locked("no passphrase is given"), source.Salt, source.Rounds)
            : ReadKeyFile() ?? throw new McpAuthException(ErrorReason.VaultLocked,
                "credentials.enc cannot be opened: its key file credentials.key is missing.",
                "Restore credentials.key, or move credentials.enc away and sign in again.");
        var key = FromSecret(secret, source);
        if (!CryptographicOperations.FixedTimeEquals(key.Source.Check, source.Check))
        {
            throw source.IsPassphrase ? Locked("the passphrase is wrong")
                : new McpAuthException(ErrorReason.VaultLocked,
                    "credentials.enc cannot be opened: credentials.key is not its key.",
                    "Restore the credentials.key that belongs to it, or move credentials.enc away and sign in again.");
        }
        return _found = key;
    }

    private static VaultKey FromSecret(byte[] secret, KeySource source)
    {
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 32, source.Salt, "mcpsm credentials.enc key"u8.ToArray());
        var check = HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, 16, source.Salt, "mcpsm credentials.enc check"u8.ToArray());
        CryptographicOperations.ZeroMemory(secret);
        return new VaultKey(source with { Check = check }, key);
    }

    private static byte[] Stretch(string passphrase, byte[] salt, int rounds) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(passphrase), salt, rounds, HashAlgorithmName.SHA256, 32);

    private byte[]? ReadKeyFile()
    {
        if (WholeFile.Read(_keyFile) is not { } content)
        {
            return null;
        }
        try
        {
            var bytes = Convert.FromBase64String(Encoding.ASCII.GetString(content));
            var secret = OperatingSystem.IsWindows()
                ? ProtectedData.Unprotect(bytes, null, DataProtectionScope.CurrentUser) : bytes;
            return secret.Length == 32 ? secret : throw new FormatException();
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            throw new McpAuthException(ErrorReason.VaultCorrupt, "credentials.key is damaged. It was not changed.",
                "Restore it from a backup, or move it and credentials.enc away and sign in again.", e);
        }
    }

    private byte[] NewKeyFile()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        var bytes = OperatingSystem.IsWindows()
            ? ProtectedData.Protect(secret, null, DataProtectionScope.CurrentUser) : secret;
        WholeFile.Replace(_keyFile, Encoding.ASCII.GetBytes(Convert.ToBase64String(bytes) + "\n"));
        return secret;
    }

    private static McpAuthException Locked(string why) => new(ErrorReason.VaultLocked,
        $"credentials.enc is locked: {why}.", $"Set {PassphraseVariable} to the passphrase, then run the command again.");
}

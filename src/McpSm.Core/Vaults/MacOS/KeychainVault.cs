using System.Runtime.Versioning;
using System.Text;
using System.Text.Json.Nodes;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;

namespace McpSm.Core.Vaults.MacOS;

/// <summary>
/// The macOS Keychain: each item is a generic password of the service <c>mcpsm</c>. The Keychain is not enumerated: <c>keychain.json</c> lists the
/// names. A name is added before its item is written and removed after its item is removed.
/// </summary>
internal sealed class KeychainVault : IVault
{
    public const string VaultName = "keychain";

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly AppEnvironment _environment;
    private readonly IKeychain _keychain;
    private readonly string _namesFile;
    private readonly string _owner;

    [SupportedOSPlatform("macos")]
    public KeychainVault(AppEnvironment environment) : this(environment, new MsalKeychain(environment))
    {
    }

    internal KeychainVault(AppEnvironment environment, IKeychain keychain)
    {
        _environment = environment;
        _keychain = keychain;
        _namesFile = environment.PathOf("keychain.json");
        // Escape to ASCII: MSAL passes the number of characters of an account to the Keychain as its number of bytes.
        _owner = Uri.EscapeDataString(environment.Owner).Replace("%2F", "/", StringComparison.Ordinal);
    }

    public string Name => VaultName;

    public string Protection => "Stored in your login Keychain and encrypted with your password. The Keychain asks before a program other than the one "
        + "that wrote an item reads it.";

    public async Task<string?> GetAsync(string item, CancellationToken cancellationToken)
    {
        // The Keychain may prompt the user and cannot be cancelled: cancellation ends the wait, not the prompt.
        var password = await Task.Run(() => _keychain.Read(AccountOf(item)), cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return password.Length == 0 ? null : Strict.GetString(password);
        }
        catch (DecoderFallbackException e)
        {
            throw new McpAuthException(ErrorReason.VaultCorrupt, $"The item '{item}' in the Keychain was not written by Mcpsm. It was not changed.",
                $"Remove the item '{AccountOf(item)}' in Keychain Access, then sign in again.", e);
        }
    }

    public async Task SetAsync(string item, string text, CancellationToken cancellationToken)
    {
        if (text.Length == 0)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "The Keychain cannot store an empty secret.");
        }
        using var namesLock = await LockAsync(cancellationToken).ConfigureAwait(false);
        var names = ReadNames();
        if (names.Add(item))
        {
            WriteNames(names);
        }
        await Task.Run(() => _keychain.Write(AccountOf(item), Encoding.UTF8.GetBytes(text)), CancellationToken.None).ConfigureAwait(false);
    }

    public async Task<bool> RemoveAsync(string item, CancellationToken cancellationToken)
    {
        using var namesLock = await LockAsync(cancellationToken).ConfigureAwait(false);
        var names = ReadNames();
        await Task.Run(() => _keychain.Remove(AccountOf(item)), CancellationToken.None).ConfigureAwait(false);
        if (!names.Remove(item))
        {
            return false;
        }
        WriteNames(names);
        return true;
    }

    public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string>>([.. ReadNames()]);

    private SortedSet<string> ReadNames()
    {
        if (JsonFile.ReadToChange(_namesFile) is not { } root)
        {
            return new(StringComparer.Ordinal);
        }
        var names = (root["names"] as JsonArray)?.Select(n => n is JsonValue value && value.TryGetValue<string>(out var name) ? name : null).ToList();
        return names is not null && !names.Contains(null) ? new(names.OfType<string>(), StringComparer.Ordinal)
            : throw JsonFile.Corrupt(_namesFile, "'names' is not a list of names");
    }

    private void WriteNames(SortedSet<string> names) =>
        JsonFile.Write(_namesFile, new JsonObject { ["names"] = new JsonArray([.. names.Select(n => (JsonNode)n)]) });

    private string AccountOf(string item) => $"{_owner}:{item}";

    private Task<FileLock> LockAsync(CancellationToken cancellationToken) => _environment.LockAsync("vault-" + VaultName, cancellationToken);
}

using System.Globalization;
using System.Runtime.Versioning;
using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Vaults.EncryptedFile;

namespace McpSm.Core.Vaults.Windows;

/// <summary>
/// The Windows Credential Manager. An item is the entry <c>Mcpsm:&lt;owner&gt;:&lt;item&gt;</c>; what does not fit into one
/// is in further ones, <c>…:&lt;item&gt;:&lt;generation&gt;:&lt;number&gt;</c>, which are written before the entry that names them and
/// removed after it. A kill in between leaves the old text or the new one, and parts that nothing names: nobody sees
/// them, and the next change of any item clears them.
/// </summary>
public sealed class CredentialManagerVault : IVault
{
    public const string VaultName = "credential-manager";

    private readonly AppEnvironment _environment;
    private readonly IWindowsCredentials _entries;
    private readonly string _prefix;

    [SupportedOSPlatform("windows")]
    public CredentialManagerVault(AppEnvironment environment) : this(environment, new WindowsCredentials())
    {
    }

    internal CredentialManagerVault(AppEnvironment environment, IWindowsCredentials entries)
    {
        _environment = environment;
        _entries = entries;
        _prefix = $"Mcpsm:{environment.Owner}:";
    }

    public string Name => VaultName;

    public string Protection => "Kept by the Windows Credential Manager, encrypted under your Windows logon: protects copies and other users' "
        + "access, not against programs that run as you.";

    public async Task<string?> GetAsync(string item, CancellationToken cancellationToken)
    {
        if (TryRead(item, out var text))
        {
            return text;
        }
        // Somebody may have replaced it between the reading of its head and that of its parts: who has the lock sees
        // it at rest.
        using var held = await LockAsync(cancellationToken).ConfigureAwait(false);
        return TryRead(item, out text) ? text : throw Damaged(item);
    }

    public async Task SetAsync(string item, string text, CancellationToken cancellationToken)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > ChunkedSecret.MaxBytes)
        {
            throw new McpAuthException(ErrorReason.SecretTooLarge,
                $"A secret of {bytes.Length} bytes is more than the {ChunkedSecret.MaxBytes} that Mcpsm keeps in the Credential Manager.",
                $"Use the encrypted file with: {new StepOption(StepOptionKind.Vault, EncryptedFileVault.VaultName)}");
        }
        var generation = ChunkedSecret.NewGeneration();
        var (head, parts) = ChunkedSecret.ToChunks(bytes, generation);
        using var held = await LockAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            for (var number = 0; number < parts.Count; number++)
            {
                _entries.Write(TargetOf(item, generation, number), parts[number]);
            }
            _entries.Write(TargetOf(item), head);
        }
        finally
        {
            TryClear();
        }
    }

    public async Task<bool> RemoveAsync(string item, CancellationToken cancellationToken)
    {
        using var held = await LockAsync(cancellationToken).ConfigureAwait(false);
        var removed = _entries.Delete(TargetOf(item));
        // Said where it fails: pieces of a secret that was to go would be left.
        Clear();
        return removed;
    }

    public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string>>([.. List().Where(e => e.Generation is null).Select(e => e.Item)]);

    /// <summary>False where what is there is not whole; a text of null where nothing is there.</summary>
    private bool TryRead(string item, out string? text)
    {
        text = null;
        if (_entries.Read(TargetOf(item)) is not { } head)
        {
            return true;
        }
        text = ChunkedSecret.TextOf(head);
        if (text is null && ChunkedSecret.Read(head) is { } split)
        {
            var parts = Enumerable.Range(0, split.Parts).Select(number => _entries.Read(TargetOf(item, split.Generation, number))).ToList();
            text = split.Join(parts.OfType<byte[]>());
        }
        return text is not null;
    }

    private void TryClear()
    {
        try
        {
            Clear();
        }
        catch (McpAuthException)
        {
            // The text is kept, or its own failure is on its way up; the next change clears.
        }
    }

    /// <summary>Removes all parts that no head names: of what was replaced or removed, and of writers that were killed.</summary>
    private void Clear()
    {
        var all = List();
        var named = all.Where(e => e.Generation is null).Select(e => (e.Item, ChunkedSecret.Read(e.Content)?.Generation)).ToHashSet();
        foreach (var part in all.Where(e => e.Generation is not null && !named.Contains((e.Item, e.Generation))))
        {
            _entries.Delete(part.Target);
        }
    }

    private List<Entry> List() => [.. _entries.List(_prefix).Select(e => Parse(e.Target, e.Content)).OfType<Entry>()];

    private Entry? Parse(string target, byte[] content) => target[_prefix.Length..].Split(':') switch
    {
        [var item] => new Entry(target, ItemOf(item), null, content),
        [var item, var generation, var number] when ChunkedSecret.IsGeneration(generation) && number.All(char.IsAsciiDigit) =>
            new Entry(target, ItemOf(item), generation, content),
        _ => null,
    };

    private string TargetOf(string item) => _prefix + Spell(item);

    private string TargetOf(string item, string generation, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{TargetOf(item)}:{generation}:{number}");

    /// <summary>Windows does not tell <c>A</c> from <c>a</c> in the name of an entry; a server's id may.</summary>
    private static string Spell(string item) => string.Concat(item.Select(c => char.IsAsciiLetterUpper(c) ? $"^{c}" : c.ToString()));

    private static string ItemOf(string spelled) => spelled.Replace("^", "", StringComparison.Ordinal);

    private Task<FileLock> LockAsync(CancellationToken cancellationToken) => _environment.LockAsync("vault-" + VaultName, cancellationToken);

    private McpAuthException Damaged(string item) => new(ErrorReason.VaultCorrupt,
        $"The item '{item}' in the Credential Manager is damaged: pieces of it are missing or were changed. It was not changed.",
        $"Remove it with: cmdkey \"/delete:{TargetOf(item)}\" and sign in again.");

    private sealed record Entry(string Target, string Item, string? Generation, byte[] Content);
}

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
/// The Windows Credential Manager. An item is the entry <c>Mcpsm:&lt;owner&gt;:&lt;item&gt;</c>. A text that is too long for one entry is split into
/// parts, <c>…:&lt;item&gt;:&lt;generation&gt;:&lt;number&gt;</c>, which are written before the head entry and removed after it. A kill in between
/// leaves the old text or the new one, and orphaned parts: readers ignore them, and the next change of any item removes them.
/// </summary>
internal sealed class CredentialManagerVault : IVault
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

    public string Protection => "Stored in the Windows Credential Manager and encrypted with your Windows logon. Protects copies, and against other users, "
        + "but not against programs that run as you.";

    public async Task<string?> GetAsync(string item, CancellationToken cancellationToken)
    {
        if (TryRead(item, out var text))
        {
            return text;
        }
        // Another process may have replaced the item between the reads of its head and its parts. Under the lock the item does not change.
        using var itemsLock = await LockAsync(cancellationToken).ConfigureAwait(false);
        return TryRead(item, out text) ? text : throw Damaged(item);
    }

    public async Task SetAsync(string item, string text, CancellationToken cancellationToken)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length > ChunkedSecret.MaxBytes)
        {
            throw new McpAuthException(ErrorReason.SecretTooLarge,
                $"The secret has {bytes.Length} bytes, but Mcpsm stores at most {ChunkedSecret.MaxBytes} bytes in the Credential Manager.",
                $"Use the encrypted file with: {new StepOption(StepOptionKind.Vault, EncryptedFileVault.VaultName)}");
        }
        var generation = ChunkedSecret.NewGeneration();
        var (head, parts) = ChunkedSecret.ToChunks(bytes, generation);
        using var itemsLock = await LockAsync(cancellationToken).ConfigureAwait(false);
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
            TryRemoveOrphanedParts();
        }
    }

    public async Task<bool> RemoveAsync(string item, CancellationToken cancellationToken)
    {
        using var itemsLock = await LockAsync(cancellationToken).ConfigureAwait(false);
        var removed = _entries.Delete(TargetOf(item));
        // A failure is an error here: parts of the removed secret would be left.
        RemoveOrphanedParts();
        return removed;
    }

    public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<string>>([.. List().Where(e => e.Generation is null).Select(e => e.Item)]);

    /// <summary>Reads the item. Returns false if the item is not complete; the text is null if the item does not exist.</summary>
    private bool TryRead(string item, out string? text)
    {
        text = null;
        if (_entries.Read(TargetOf(item)) is not { } head)
        {
            return true;
        }
        text = ChunkedSecret.TextOf(head);
        if (text is null && ChunkedSecret.Read(head) is { } chunks)
        {
            var parts = Enumerable.Range(0, chunks.Parts).Select(number => _entries.Read(TargetOf(item, chunks.Generation, number))).ToList();
            text = chunks.Join(parts.OfType<byte[]>());
        }
        return text is not null;
    }

    private void TryRemoveOrphanedParts()
    {
        try
        {
            RemoveOrphanedParts();
        }
        catch (McpAuthException)
        {
            // The text is stored, or its own error is being thrown. The next change removes the parts.
        }
    }

    /// <summary>Removes all parts without a head: parts of replaced or removed items, and of writers that were killed.</summary>
    private void RemoveOrphanedParts()
    {
        var entries = List();
        var named = entries.Where(e => e.Generation is null).Select(e => (e.Item, ChunkedSecret.Read(e.Content)?.Generation)).ToHashSet();
        foreach (var part in entries.Where(e => e.Generation is not null && !named.Contains((e.Item, e.Generation))))
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

    private string TargetOf(string item) => _prefix + Escape(item);

    private string TargetOf(string item, string generation, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{TargetOf(item)}:{generation}:{number}");

    /// <summary>Escapes upper-case letters: the names of entries are not case-sensitive on Windows, but the ids of servers are.</summary>
    private static string Escape(string item) => string.Concat(item.Select(c => char.IsAsciiLetterUpper(c) ? $"^{c}" : c.ToString()));

    private static string ItemOf(string escaped) => escaped.Replace("^", "", StringComparison.Ordinal);

    private Task<FileLock> LockAsync(CancellationToken cancellationToken) => _environment.LockAsync("vault-" + VaultName, cancellationToken);

    private McpAuthException Damaged(string item) => new(ErrorReason.VaultCorrupt,
        $"The item '{item}' in the Credential Manager is damaged: parts of it are missing or were modified. Mcpsm did not change it.",
        $"Remove the item with: cmdkey \"/delete:{TargetOf(item)}\" and sign in again.");

    private sealed record Entry(string Target, string Item, string? Generation, byte[] Content);
}

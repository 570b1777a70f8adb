using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Core.Vaults.EncryptedFile;

namespace McpSm.Core.Vaults;

/// <summary>
/// The items that wait in an encrypted file until their vault can be written again. The header of the file says whether it has pending items, so that
/// the common case, none, needs neither key nor decryption.
/// </summary>
internal sealed class PendingItems(EncryptedFileVault file)
{
    private const string Prefix = "mcpsmpending-";

    /// <summary>The name of the file, for messages.</summary>
    public string FileName => file.FileName;

    public static bool IsPending(string item) => item.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>Returns the pending item of a vault, or null if it does not exist.</summary>
    /// <exception cref="McpAuthException">The file has pending items and cannot be opened: VaultLocked, VaultCorrupt, …</exception>
    public async Task<PendingItem?> FindAsync(string vault, string item, CancellationToken cancellationToken)
    {
        if (!file.HasPending)
        {
            return null;
        }
        try
        {
            return Read(await file.GetAsync(NameOf(vault, item), cancellationToken).ConfigureAwait(false)) is { } found
                && found.Vault == vault && found.Item == item ? found : null;
        }
        catch (McpAuthException e)
        {
            // Continuing without the item could use a refresh token that was used before.
            throw new McpAuthException(e.Reason,
                $"{FileName} may contain a newer credential for the vault '{UntrustedText.Sanitize(vault)}'. {e.Message}", e.Remedy, e)
            { Vault = file.Name };
        }
    }

    /// <summary>Returns the names of all items that wait for a vault.</summary>
    public async Task<IReadOnlyList<string>> NamesAsync(string vault, CancellationToken cancellationToken) =>
        !file.HasPending ? [] : [.. (await VaultErrors.NamedAsync(file.Name, () => file.PendingAsync(cancellationToken)).ConfigureAwait(false))
            .Select(Read).OfType<PendingItem>().Where(p => p.Vault == vault).Select(p => p.Item)];

    public Task SetAsync(PendingItem item, CancellationToken cancellationToken) =>
        SetAsync(item, JsonSerializer.Serialize(item, VaultJsonContext.Default.PendingItem), cancellationToken);

    public Task RemoveAsync(PendingItem item, CancellationToken cancellationToken) =>
        SetAsync(item, null, cancellationToken);

    private Task SetAsync(PendingItem item, string? text, CancellationToken cancellationToken) =>
        VaultErrors.NamedAsync(file.Name, () => file.SetPendingAsync(NameOf(item.Vault, item.Item), text, cancellationToken));

    /// <summary>Returns a name of letters, digits and dashes for any vault name.</summary>
    private static string NameOf(string vault, string item) =>
        $"{Prefix}{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(vault)))[..16]}-{item}";

    private PendingItem? Read(string? text)
    {
        try
        {
            return text is null ? null : JsonSerializer.Deserialize(text, VaultJsonContext.Default.PendingItem);
        }
        catch (JsonException)
        {
            throw new McpAuthException(ErrorReason.VaultCorrupt,
                $"{FileName} contains an item that this version of Mcpsm cannot read. The file was not changed.",
                "Use the version of Mcpsm that wrote the file.")
            { Vault = file.Name };
        }
    }
}

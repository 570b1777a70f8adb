using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Core.Vaults.EncryptedFile;

namespace McpSm.Core.Vaults;

/// <summary>
/// The items that wait in an encrypted file until their own vault can be written again. The file's header says whether there
/// are any, so that to find none costs no key and no decryption.
/// </summary>
internal sealed class PendingItems(EncryptedFileVault file)
{
    private const string Prefix = "mcpsmpending-";

    /// <summary>The name of the file, for people.</summary>
    public string FileName => file.FileName;

    public static bool IsPending(string item) => item.StartsWith(Prefix, StringComparison.Ordinal);

    /// <summary>What waits for a vault under the item's name; null if nothing does.</summary>
    /// <exception cref="McpAuthException">Something waits in the file, and it cannot be opened: VaultLocked, VaultCorrupt, …</exception>
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
            // To go on without it could spend a refresh token that was spent before.
            throw new McpAuthException(e.Reason, $"A credential may wait in {FileName} for the vault '{UntrustedText.Sanitize(vault)}'. {e.Message}", e.Remedy, e)
            { Vault = file.Name };
        }
    }

    /// <summary>The names of all items that wait for a vault.</summary>
    public async Task<IReadOnlyList<string>> NamesAsync(string vault, CancellationToken cancellationToken) =>
        !file.HasPending ? [] : [.. (await VaultErrors.NamedAsync(file.Name, () => file.PendingAsync(cancellationToken)).ConfigureAwait(false))
            .Select(Read).OfType<PendingItem>().Where(p => p.Vault == vault).Select(p => p.Item)];

    public Task SetAsync(PendingItem item, CancellationToken cancellationToken) =>
        SetAsync(item, JsonSerializer.Serialize(item, VaultJsonContext.Default.PendingItem), cancellationToken);

    public Task RemoveAsync(PendingItem item, CancellationToken cancellationToken) =>
        SetAsync(item, null, cancellationToken);

    private Task SetAsync(PendingItem item, string? text, CancellationToken cancellationToken) =>
        VaultErrors.NamedAsync(file.Name, () => file.SetPendingAsync(NameOf(item.Vault, item.Item), text, cancellationToken));

    /// <summary>Letters, digits and dashes, whatever the vault is called.</summary>
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
            throw new McpAuthException(ErrorReason.VaultCorrupt, $"{FileName} holds an item that this Mcpsm cannot read. It was not changed.",
                "Use the version of Mcpsm that wrote it.")
            { Vault = file.Name };
        }
    }
}

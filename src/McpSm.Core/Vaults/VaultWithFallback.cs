using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Errors;

namespace McpSm.Core.Vaults;

/// <summary>
/// A vault, with what waits for it in an encrypted file because the vault could not be written when an issuer had just given
/// it for good. Reading, removing and listing look in both places; the next write that succeeds takes the item out of the file.
/// <para>
/// A pending item must never win over a newer one. It notes a digest of what the vault held when it was made, and counts only
/// as long as the vault still holds that: any later write to the vault, by this or an older version, makes it void. No clock is
/// compared. Whoever writes while an item is pending first replaces it in the file, so that a kill between the two leaves the
/// newer text in both. All this happens under the lock that the caller holds for the item; readers need none, because they
/// look into the file first.
/// </para>
/// </summary>
public sealed class VaultWithFallback : IVault
{
    // The vaults of SecretManagement that were rehearsed with: once a process is enough.
    private static readonly ConcurrentDictionary<string, bool> RehearsedVaults = new(StringComparer.Ordinal);

    private readonly IVault _vault;
    private readonly PendingItems _pending;

    // What the vault was last seen to hold. If it locks before the next write, this is what it still holds.
    private readonly ConcurrentDictionary<string, Seen> _seen = new(StringComparer.Ordinal);

    internal VaultWithFallback(IVault vault, PendingItems pending) => (_vault, _pending) = (new ErrorNamingVault(vault), pending);

    public string Name => _vault.Name;

    public string Protection => _vault.Protection;

    /// <summary>The name of the file in which items of this vault wait, for people.</summary>
    internal string PendingFile => _pending.FileName;

    public async Task<string?> GetAsync(string item, CancellationToken cancellationToken) =>
        (await FindAsync(item, cancellationToken).ConfigureAwait(false)).Text;

    /// <summary>The item's text, and whether it is the one that waits for this vault.</summary>
    internal async Task<(string? Text, bool IsPending)> FindAsync(string item, CancellationToken cancellationToken)
    {
        var pending = await _pending.FindAsync(Name, item, cancellationToken).ConfigureAwait(false);
        string? text;
        try
        {
            text = VaultItemPadding.Remove(await _vault.GetAsync(item, cancellationToken).ConfigureAwait(false));
        }
        catch (McpAuthException) when (pending is not null)
        {
            // The vault cannot be read, as it could not be written before. Nothing is spent before it can be written again.
            _seen[item] = new(null, pending.Base);
            return (pending.Text, true);
        }
        _seen[item] = new(text, null);
        return pending is not null && pending.Text != text && pending.Base == Digest(text) ? (pending.Text, true) : (text, false);
    }

    public Task SetAsync(string item, string text, CancellationToken cancellationToken) => WriteAsync(item, text, _vault.SetAsync, cancellationToken);

    public Task ReplaceAsync(string item, string text, CancellationToken cancellationToken) => WriteAsync(item, text, _vault.ReplaceAsync, cancellationToken);

    public void RequireTakesNewSecrets() => _vault.RequireTakesNewSecrets();

    private async Task WriteAsync(string item, string text, Func<string, string, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        var pending = await TryFindPendingAsync(item, cancellationToken).ConfigureAwait(false);
        var counts = pending is not null && pending.Base == await BaseAsync(item, cancellationToken).ConfigureAwait(false);
        if (pending is not null)
        {
            await TryAsync(() => counts ? _pending.SetAsync(pending with { Text = VaultItemPadding.Remove(text)! }, cancellationToken)
                : _pending.RemoveAsync(pending, cancellationToken)).ConfigureAwait(false);
        }
        try
        {
            await write(item, text, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (counts && e is McpAuthException or OperationCanceledException)
        {
            await TryAsync(() => _pending.SetAsync(pending!, CancellationToken.None)).ConfigureAwait(false);
            throw;
        }
        _seen[item] = new(VaultItemPadding.Remove(text), null);
        if (counts)
        {
            await TryAsync(() => _pending.RemoveAsync(pending!, CancellationToken.None)).ConfigureAwait(false);
        }
    }

    /// <summary>Keeps what an issuer has given for good: in the vault, or else in the file.</summary>
    /// <param name="isRenewal">Whether it takes the place of what is kept: see <see cref="ReplaceAsync"/>.</param>
    /// <returns>Why the item is not in the vault but waits for it; null if it is in the vault.</returns>
    /// <exception cref="McpAuthException">It could be kept in neither. This tells why not in the vault.</exception>
    internal async Task<McpAuthException?> KeepAsync(string item, string text, bool isRenewal)
    {
        try
        {
            await (isRenewal ? ReplaceAsync(item, text, CancellationToken.None) : SetAsync(item, text, CancellationToken.None)).ConfigureAwait(false);
            return null;
        }
        catch (McpAuthException why)
        {
            try
            {
                await _pending.SetAsync(new PendingItem(Name, item, await BaseAsync(item, CancellationToken.None).ConfigureAwait(false), text),
                    CancellationToken.None).ConfigureAwait(false);
            }
            catch (McpAuthException)
            {
                throw why;
            }
            return why;
        }
    }

    /// <summary>
    /// Makes the write that will follow, before anything is spent: stores the present text again, longer by 8 KiB. The padding
    /// stays until the next write of the item, and no reader sees it. If the renewal then fails, that costs 8 KiB for a while;
    /// to write the text back would be one more write that can fail, and cost as much as the rehearsal.
    /// </summary>
    /// <param name="text">What the vault holds now; null if it holds nothing, and another item is written and removed.</param>
    /// <exception cref="McpAuthException">What a write may throw.</exception>
    internal async Task RehearseAsync(string item, string? text, CancellationToken cancellationToken)
    {
        // There a write may make a version, or cost a prompt.
        var once = VaultSelector.IsOfSecretManagement(Name);
        if (once && RehearsedVaults.ContainsKey(Name))
        {
            return;
        }
        try
        {
            await WriteAsync(true).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.SecretTooLarge)
        {
            // The vault limits what an item may hold, and says nothing about the item without the padding.
            await WriteAsync(false).ConfigureAwait(false);
        }
        if (once)
        {
            RehearsedVaults[Name] = true;
        }

        Task WriteAsync(bool padded) => text is null ? VaultSelfTest.RunAsync(this, padded, cancellationToken)
            : ReplaceAsync(item, padded ? VaultItemPadding.Add(text) : text, cancellationToken);
    }

    public async Task<bool> RemoveAsync(string item, CancellationToken cancellationToken)
    {
        var pending = await TryFindPendingAsync(item, cancellationToken).ConfigureAwait(false);
        var removed = await _vault.RemoveAsync(item, cancellationToken).ConfigureAwait(false);
        _seen[item] = new(null, null);
        if (pending is not null)
        {
            await _pending.RemoveAsync(pending, cancellationToken).ConfigureAwait(false);
        }
        return removed || pending is not null;
    }

    /// <summary>Removes what waits for a vault that is gone.</summary>
    internal async Task RemovePendingAsync(string item, CancellationToken cancellationToken)
    {
        if (await TryFindPendingAsync(item, cancellationToken).ConfigureAwait(false) is { } pending)
        {
            await _pending.RemoveAsync(pending, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The names of the items that wait, which are in reach even if the vault is gone.</summary>
    internal Task<IReadOnlyList<string>> PendingNamesAsync(CancellationToken cancellationToken) => _pending.NamesAsync(Name, cancellationToken);

    public async Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken) =>
        [.. (await _vault.NamesAsync(cancellationToken).ConfigureAwait(false))
            .Union(await _pending.NamesAsync(Name, cancellationToken).ConfigureAwait(false))];

    private async Task<string> BaseAsync(string item, CancellationToken cancellationToken)
    {
        if (!_seen.TryGetValue(item, out var seen))
        {
            try
            {
                seen = new(VaultItemPadding.Remove(await _vault.GetAsync(item, cancellationToken).ConfigureAwait(false)), null);
            }
            catch (McpAuthException)
            {
                // Never read and not readable now: only if the vault turns out to hold nothing does the pending item count.
                seen = new(null, null);
            }
        }
        return seen.Base ?? Digest(seen.Text);
    }

    private async Task<PendingItem?> TryFindPendingAsync(string item, CancellationToken cancellationToken)
    {
        try
        {
            return await _pending.FindAsync(Name, item, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException)
        {
            // What waits there cannot be opened. It is void as soon as the vault holds something else.
            return null;
        }
    }

    /// <summary>A step that makes the file tidy. If it fails, the digest still decides between the two places.</summary>
    private static async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step().ConfigureAwait(false);
        }
        catch (McpAuthException)
        {
            // See above; the write to the vault itself is what the caller is told about.
        }
    }

    private static string Digest(string? text) => text is null ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>What the vault holds, or a digest of it.</summary>
    private sealed record Seen(string? Text, string? Base)
    {
        /// <summary>Without the text: records print all their members.</summary>
        public override string ToString() => "seen";
    }
}

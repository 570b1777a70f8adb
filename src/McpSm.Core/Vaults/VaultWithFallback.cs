using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Errors;

namespace McpSm.Core.Vaults;

/// <summary>
/// A vault together with its pending items. An item is pending if an issuer had already issued a new credential and the vault could not be written:
/// it then waits in an encrypted file. Reads, removals and lists use both places; the next successful write removes the pending item.
/// <para>
/// A pending item must never win over a newer text. It has a digest of the vault's text at the time, and is valid only while the vault still has that
/// text: any later write to the vault, by this or an older version, invalidates it. Clocks are not compared. A writer first replaces a valid pending
/// item in the file, so that after a kill between the two writes the file has the newer text. All writes happen under the lock that the caller holds
/// for the item. Readers do not need the lock, because they read the file before the vault.
/// </para>
/// </summary>
internal sealed class VaultWithFallback : IVault
{
    // The SecretManagement vaults that were tested with a rehearsal in this process.
    private static readonly ConcurrentDictionary<string, bool> RehearsedVaults = new(StringComparer.Ordinal);

    private readonly IVault _vault;
    private readonly PendingItems _pending;

    // The last known text of each item in the vault. If the vault locks before the next write, it still has this text.
    private readonly ConcurrentDictionary<string, Seen> _seen = new(StringComparer.Ordinal);

    internal VaultWithFallback(IVault vault, PendingItems pending) => (_vault, _pending) = (new ErrorNamingVault(vault), pending);

    public string Name => _vault.Name;

    public string Protection => _vault.Protection;

    /// <summary>The name of the file that has the pending items of this vault, for messages.</summary>
    internal string PendingFile => _pending.FileName;

    public async Task<string?> GetAsync(string item, CancellationToken cancellationToken) =>
        (await FindAsync(item, cancellationToken).ConfigureAwait(false)).Text;

    /// <summary>Returns the item's text, and whether it comes from the pending item.</summary>
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
            // The vault can neither be read nor written. That is safe: a token is used only after the vault was written again.
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
        var isValid = pending is not null && pending.Base == await BaseAsync(item, cancellationToken).ConfigureAwait(false);
        if (pending is not null)
        {
            await TryAsync(() => isValid ? _pending.SetAsync(pending with { Text = VaultItemPadding.Remove(text)! }, cancellationToken)
                : _pending.RemoveAsync(pending, cancellationToken)).ConfigureAwait(false);
        }
        try
        {
            await write(item, text, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (isValid && e is McpAuthException or OperationCanceledException)
        {
            await TryAsync(() => _pending.SetAsync(pending!, CancellationToken.None)).ConfigureAwait(false);
            throw;
        }
        _seen[item] = new(VaultItemPadding.Remove(text), null);
        if (isValid)
        {
            await TryAsync(() => _pending.RemoveAsync(pending!, CancellationToken.None)).ConfigureAwait(false);
        }
    }

    /// <summary>Stores a credential that an issuer has issued irrevocably: in the vault, or else as a pending item.</summary>
    /// <param name="item">The name of the item.</param>
    /// <param name="text">The text of the item.</param>
    /// <param name="isRenewal">Whether the text replaces a stored one: see <see cref="ReplaceAsync"/>.</param>
    /// <returns>Why the vault could not be written and the item is pending; null if the item is in the vault.</returns>
    /// <exception cref="McpAuthException">Neither the vault nor the file could be written. The error is the vault's.</exception>
    internal async Task<McpAuthException?> KeepAsync(string item, string text, bool isRenewal)
    {
        try
        {
            await (isRenewal ? ReplaceAsync(item, text, CancellationToken.None) : SetAsync(item, text, CancellationToken.None)).ConfigureAwait(false);
            return null;
        }
        catch (McpAuthException vaultError)
        {
            try
            {
                await _pending.SetAsync(new PendingItem(Name, item, await BaseAsync(item, CancellationToken.None).ConfigureAwait(false), text),
                    CancellationToken.None).ConfigureAwait(false);
            }
            catch (McpAuthException)
            {
                throw vaultError;
            }
            return vaultError;
        }
    }

    /// <summary>
    /// Tests the next write before a refresh token is used: stores the current text with 8 KiB of padding. The padding stays until the next write of
    /// the item, and readers never see it. Restoring the text right away would be one more write that can fail, and would cost as much as the
    /// rehearsal.
    /// </summary>
    /// <param name="item">The name of the item.</param>
    /// <param name="text">The current text in the vault; null if the item does not exist. Another item is then written and removed.</param>
    /// <param name="cancellationToken">Cancels the rehearsal.</param>
    /// <exception cref="McpAuthException">Every error of a write.</exception>
    internal async Task RehearseAsync(string item, string? text, CancellationToken cancellationToken)
    {
        // In SecretManagement each write may create a version or show a prompt.
        var oncePerProcess = VaultSelector.IsOfSecretManagement(Name);
        if (oncePerProcess && RehearsedVaults.ContainsKey(Name))
        {
            return;
        }
        try
        {
            await WriteAsync(true).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.SecretTooLarge)
        {
            // The vault limits the size of an item. The item may still fit without the padding.
            await WriteAsync(false).ConfigureAwait(false);
        }
        if (oncePerProcess)
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

    /// <summary>Removes a pending item of a vault that no longer exists.</summary>
    internal async Task RemovePendingAsync(string item, CancellationToken cancellationToken)
    {
        if (await TryFindPendingAsync(item, cancellationToken).ConfigureAwait(false) is { } pending)
        {
            await _pending.RemoveAsync(pending, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Returns the names of the pending items, which are available even if the vault no longer exists.</summary>
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
                // The item was never read and cannot be read now. The pending item is then valid only if the vault turns out not to have the item.
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
            // The file cannot be opened. Its pending item becomes invalid when the vault's text changes.
            return null;
        }
    }

    /// <summary>Runs a step that cleans up the file. If the step fails, the digest still decides which text is valid.</summary>
    private static async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step().ConfigureAwait(false);
        }
        catch (McpAuthException)
        {
            // Only the write to the vault decides about success, see above.
        }
    }

    private static string Digest(string? text) => text is null ? "" : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>The text in the vault, or a digest of it.</summary>
    private sealed record Seen(string? Text, string? Base)
    {
        /// <summary>Omits the text, because the generated ToString of a record prints all members.</summary>
        public override string ToString() => "seen";
    }
}

using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>
/// What is taken to another vault must not come back out of the one it was in: not after a kill in between, nor from a
/// vault that could not be opened then. Such a vault is remembered until a move clears it up.
/// </summary>
internal sealed class SupersededCopies(AppEnvironment environment, VaultSelector vaults)
{
    private readonly Settings _settings = new(environment);

    /// <summary>Whether it is the vault that failed: somebody who names another one need not wait for it.</summary>
    public static bool CannotBeOpened(McpAuthException e) =>
        e.Reason is ErrorReason.VaultUnavailable or ErrorReason.VaultLocked or ErrorReason.VaultCorrupt or ErrorReason.SecretManagementMissing;

    /// <summary>
    /// Whether the vault is gone: unregistered, or its program or module is not here. What is to end then ends without it. A vault
    /// that is locked is only to be unlocked, and one that does not answer may answer the next time.
    /// </summary>
    public static bool IsGone(McpAuthException e) => e.IsVaultGone || e.Reason is ErrorReason.SecretManagementMissing;

    /// <summary>Leaves an item that has ended in a vault that is gone: says so, and does not let it come back with the vault.</summary>
    /// <param name="of">Whose item it is, for people: <c>'my-api'</c>.</param>
    /// <param name="place">The vault that it is in; null if nothing is known of an item.</param>
    public async Task AbandonAsync(string item, string of, string? place, McpAuthException why, CancellationToken cancellationToken)
    {
        if (place is null)
        {
            return;
        }
        await _settings.AddEndedAsync(place, item, cancellationToken).ConfigureAwait(false);
        try
        {
            await vaults.Find(place).RemovePendingAsync(item, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (CannotBeOpened(e))
        {
            // The vault is not even known here. What may wait for it counts for nothing without the index.
        }
        var where = $"in the vault '{UntrustedText.Sanitize(place)}' (item '{item}')";
        // The secret of another tool was not issued to us: it cannot be revoked.
        vaults.Notify(NamedSecretStore.IsItem(item) ? $"The secret of {of} stays {where}. {why.Message}"
            : $"What {of} has {where} stays there and was not revoked. {why.Message}");
    }

    /// <summary>Whether the item in that vault has ended. If the vault is back, it is removed there.</summary>
    public async Task<bool> HasEndedAsync(string item, VaultWithFallback vault, CancellationToken cancellationToken)
    {
        if (!_settings.IsEnded(vault.Name, item))
        {
            return false;
        }
        await vault.RemoveAsync(item, cancellationToken).ConfigureAwait(false);
        await _settings.RemoveEndedAsync(vault.Name, item, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Keeps an item in its vault of now, and removes it from the one of before.</summary>
    /// <param name="before">Where it was, by the facts; null where it was nowhere.</param>
    /// <param name="keep">Writes it, and then the facts.</param>
    public async Task WriteAsync(string item, string? before, string now, Func<Task> keep, CancellationToken cancellationToken)
    {
        if (before is null || before == now)
        {
            await keep().ConfigureAwait(false);
            if (before is null && _settings.IsEnded(now, item))
            {
                await _settings.RemoveEndedAsync(now, item, CancellationToken.None).ConfigureAwait(false);
            }
            return;
        }
        var isFirst = await _settings.AddMovingFromAsync(before, cancellationToken).ConfigureAwait(false);
        try
        {
            await keep().ConfigureAwait(false);
        }
        catch when (isFirst)
        {
            await _settings.RemoveMovingFromAsync(before, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        // What is kept is kept: nobody may be told that it failed because of this.
        if (await TryRemoveAsync(item, before, CancellationToken.None).ConfigureAwait(false) && isFirst)
        {
            await _settings.RemoveMovingFromAsync(before, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Removes an item that has ended from every vault in which it may have been left.</summary>
    /// <param name="except">The vault that it was just removed from.</param>
    public Task RemoveAsync(string item, string? except, CancellationToken cancellationToken) =>
        RemoveAsync(item, except is null ? [] : [except], cancellationToken);

    /// <param name="except">The vaults that it was just removed from.</param>
    public async Task RemoveAsync(string item, IReadOnlyList<string> except, CancellationToken cancellationToken)
    {
        foreach (var place in _settings.MovingFrom.Where(place => !except.Contains(place) && !_settings.IsEnded(place, item)))
        {
            await TryRemoveAsync(item, place, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> TryRemoveAsync(string item, string place, CancellationToken cancellationToken)
    {
        try
        {
            await vaults.Find(place).RemoveAsync(item, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (McpAuthException e) when (CannotBeOpened(e))
        {
            vaults.Notify($"The item '{item}' may still be in the vault '{UntrustedText.Sanitize(place)}', and could not be removed there. {e.Message}");
            return false;
        }
    }
}

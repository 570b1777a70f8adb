using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>
/// What is taken to another vault must not come back out of the one it was in: not after a kill in between, nor from a
/// vault that could not be opened then. Such a vault is remembered until a move clears it up.
/// </summary>
internal sealed class LeftBehind(Home home, VaultSelector vaults)
{
    private readonly Settings _settings = new(home);

    /// <summary>Whether it is the vault that failed: somebody who names another one need not wait for it.</summary>
    public static bool CannotBeOpened(McpAuthException e) =>
        e.Reason is ErrorReason.VaultUnavailable or ErrorReason.VaultLocked or ErrorReason.VaultCorrupt or ErrorReason.SecretManagementMissing;

    /// <summary>Keeps an item in its vault of now, and removes it from the one of before.</summary>
    /// <param name="before">Where it was, by the facts; null where it was nowhere.</param>
    /// <param name="keep">Writes it, and then the facts.</param>
    public async Task KeepAsync(string item, string? before, string now, Func<Task> keep, CancellationToken cancellationToken)
    {
        if (before is null || before == now)
        {
            await keep().ConfigureAwait(false);
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
    public async Task RemoveAsync(string item, string? except, CancellationToken cancellationToken)
    {
        foreach (var place in _settings.MovingFrom.Where(place => place != except))
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
            vaults.Tell($"The item '{item}' may still be in the vault '{ForeignText.Clean(place)}', and could not be removed there. {e.Message}");
            return false;
        }
    }
}

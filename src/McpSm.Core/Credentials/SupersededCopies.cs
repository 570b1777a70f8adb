using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>
/// Prevents that an old copy of an item comes back: one that stayed in the previous vault because the process was killed, or because that
/// vault could not be opened. The settings remember such vaults until the next move cleans them up.
/// </summary>
internal sealed class SupersededCopies(AppEnvironment environment, VaultSelector vaults)
{
    private readonly Settings _settings = new(environment);

    /// <summary>Returns whether the error means that the vault cannot be opened. A user who names another vault need not wait for it.</summary>
    public static bool CannotBeOpened(McpAuthException e) =>
        e.Reason is ErrorReason.VaultUnavailable or ErrorReason.VaultLocked or ErrorReason.VaultCorrupt or ErrorReason.SecretManagementMissing;

    /// <summary>
    /// Returns whether the vault is gone: unregistered, or without its program or module. Its items can then be forgotten. A locked vault
    /// can be unlocked, and a vault that does not answer may answer the next time, so neither is gone.
    /// </summary>
    public static bool IsGone(McpAuthException e) => e.IsVaultGone || e.Reason is ErrorReason.SecretManagementMissing;

    /// <summary>Leaves an ended item in a vault that is gone, tells the user, and ignores the item if the vault comes back.</summary>
    /// <param name="item">The name of the item.</param>
    /// <param name="owner">The owner of the item, for the notice: <c>'my-api'</c>.</param>
    /// <param name="vaultName">The vault of the item; null if the index has no item.</param>
    /// <param name="cause">Why the vault is gone.</param>
    /// <param name="cancellationToken">Cancels the wait for the settings file.</param>
    public async Task AbandonAsync(string item, string owner, string? vaultName, McpAuthException cause, CancellationToken cancellationToken)
    {
        if (vaultName is null)
        {
            return;
        }
        await _settings.AddEndedAsync(vaultName, item, cancellationToken).ConfigureAwait(false);
        try
        {
            await vaults.Find(vaultName).RemovePendingAsync(item, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (CannotBeOpened(e))
        {
            // The vault is not even registered. A pending item for it is ignored without an index entry.
        }
        // A secret of another tool cannot be revoked, because no issuer gave it to us.
        var isRevocable = !NamedSecretStore.IsItem(item);
        vaults.Warn($"The item '{item}' of {owner} stays in the vault '{UntrustedText.Sanitize(vaultName)}'{(isRevocable ? " and was not revoked" : "")}. "
            + cause.Message);
    }

    /// <summary>Returns whether the item in that vault has ended. If the vault is back, removes the item there.</summary>
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

    /// <summary>Stores an item in a vault, and removes it from its previous vault.</summary>
    /// <param name="item">The name of the item.</param>
    /// <param name="previousVault">The vault of the item by the index; null if there is no entry.</param>
    /// <param name="newVault">The vault to store the item in.</param>
    /// <param name="store">Writes the item, and then the index entry.</param>
    /// <param name="cancellationToken">Cancels the wait for the settings file.</param>
    public async Task WriteAsync(string item, string? previousVault, string newVault, Func<Task> store, CancellationToken cancellationToken)
    {
        if (previousVault is null || previousVault == newVault)
        {
            await store().ConfigureAwait(false);
            if (previousVault is null && _settings.IsEnded(newVault, item))
            {
                await _settings.RemoveEndedAsync(newVault, item, CancellationToken.None).ConfigureAwait(false);
            }
            return;
        }
        var isFirst = await _settings.AddMovingFromAsync(previousVault, cancellationToken).ConfigureAwait(false);
        try
        {
            await store().ConfigureAwait(false);
        }
        catch when (isFirst)
        {
            await _settings.RemoveMovingFromAsync(previousVault, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        // The write succeeded; a failed cleanup must not turn it into an error.
        if (await TryRemoveAsync(item, previousVault, CancellationToken.None).ConfigureAwait(false) && isFirst)
        {
            await _settings.RemoveMovingFromAsync(previousVault, CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>Removes an ended item from every vault that may have an old copy, except the vault that it was just removed from.</summary>
    public Task RemoveAsync(string item, string? except, CancellationToken cancellationToken) =>
        RemoveAsync(item, except is null ? [] : [except], cancellationToken);

    /// <summary>Removes an ended item from every vault that may have an old copy, except the vaults that it was just removed from.</summary>
    public async Task RemoveAsync(string item, IReadOnlyList<string> except, CancellationToken cancellationToken)
    {
        foreach (var vaultName in _settings.MovingFrom.Where(name => !except.Contains(name) && !_settings.IsEnded(name, item)))
        {
            await TryRemoveAsync(item, vaultName, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> TryRemoveAsync(string item, string vaultName, CancellationToken cancellationToken)
    {
        try
        {
            await vaults.Find(vaultName).RemoveAsync(item, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (McpAuthException e) when (CannotBeOpened(e))
        {
            vaults.Warn($"The item '{item}' could not be removed from the vault '{UntrustedText.Sanitize(vaultName)}'. {e.Message}");
            return false;
        }
    }
}

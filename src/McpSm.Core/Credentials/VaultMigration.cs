using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>
/// Moves all items to another vault: copies and reads back each, switches the setting, then removes the originals. If the process is
/// killed between two steps, each item is still in at least one vault and the index names that vault. The settings remember all vaults
/// of the move, so that the next move, to any vault, cleans up.
/// </summary>
internal sealed class VaultMigration(AppEnvironment environment, CredentialStore store, VaultSelector vaults)
{
    private readonly Settings _settings = new(environment);

    /// <summary>Returns the other vaults that have items, or may have leftovers of an interrupted move.</summary>
    public IReadOnlyList<string> Sources(string to) =>
        [.. store.Index.Read().Values.Select(entry => entry.Vault).Concat(AcceptsNamedSecrets(to) ? store.Index.ReadSecrets().Values : [])
            .Concat(store.Index.ReadIdentities().Values.Select(i => i.Vault))
            .Concat(_settings.MovingFrom).Append(vaults.NameInUse).OfType<string>().Where(name => name != to).Distinct()];

    // SecretManagement cannot call itself: secrets that Mcpsm serves to it must not be in a vault of SecretManagement.
    private static bool AcceptsNamedSecrets(string to) => !VaultSelector.IsOfSecretManagement(to);

    /// <summary>Moves all items to the vault <paramref name="to"/>.</summary>
    /// <returns>The names of the moved items.</returns>
    /// <exception cref="McpAuthException">SecretTooLarge, or the reasons of the vaults. Nothing was removed from any vault.</exception>
    public async Task<IReadOnlyList<string>> RunAsync(string to, CancellationToken cancellationToken)
    {
        vaults.RequireOwnFolder();
        var target = vaults.Find(to);
        await VaultSelfTest.RunAsync(target, cancellationToken).ConfigureAwait(false);
        var acceptsSecrets = AcceptsNamedSecrets(to);
        var from = Sources(to);
        var sources = new List<(VaultWithFallback Vault, IReadOnlyList<string> Names)>();
        var gone = new Dictionary<string, McpAuthException>(StringComparer.Ordinal);
        foreach (var name in from)
        {
            // Open every vault before the first item is copied, so that a locked vault stops the move now.
            if (await OpenAsync(name, gone, cancellationToken).ConfigureAwait(false) is var (source, items))
            {
                sources.Add((source, [.. items.Where(item => acceptsSecrets || !NamedSecretStore.IsItem(item))]));
            }
        }
        // Include the target: an interrupted move may have put items there that the index does not know.
        var previousSources = _settings.MovingFrom;
        await _settings.SetMovingFromAsync([.. from, to], cancellationToken).ConfigureAwait(false);
        var moved = new List<string>();
        try
        {
            foreach (var (source, names) in sources)
            {
                foreach (var name in names.Where(name => IsMovable(name, source)))
                {
                    if (await CopyAsync(name, source, target, cancellationToken).ConfigureAwait(false))
                    {
                        moved.Add(name);
                    }
                }
            }
        }
        catch (McpAuthException e) when (moved.Count == 0 && e.Reason is ErrorReason.SecretTooLarge or ErrorReason.VaultLocked)
        {
            // The move was refused and nothing has changed, so no later command should report an unfinished move.
            await _settings.SetMovingFromAsync(previousSources, CancellationToken.None).ConfigureAwait(false);
            throw;
        }
        await _settings.SetVaultAsync(to, cancellationToken).ConfigureAwait(false);
        foreach (var (source, names) in sources)
        {
            foreach (var name in names)
            {
                await RemoveAsync(name, source, target, cancellationToken).ConfigureAwait(false);
            }
        }
        foreach (var (name, cause) in gone)
        {
            await AbandonVaultAsync(name, cause, cancellationToken).ConfigureAwait(false);
        }
        // If one of these vaults comes back, the next move cleans it up.
        await _settings.SetMovingFromAsync([.. gone.Keys], cancellationToken).ConfigureAwait(false);
        return moved;
    }

    /// <summary>Opens a vault and lists its items. For a vault that is gone, returns its pending items, or null if it is not registered.</summary>
    private async Task<(VaultWithFallback Vault, IReadOnlyList<string> Names)?> OpenAsync(string name, Dictionary<string, McpAuthException> gone,
        CancellationToken cancellationToken)
    {
        VaultWithFallback? source = null;
        try
        {
            source = vaults.Find(name);
            return (source, await source.NamesAsync(cancellationToken).ConfigureAwait(false));
        }
        catch (McpAuthException e) when (SupersededCopies.IsGone(e))
        {
            gone[name] = e;
            return source is null ? null : (source, await source.PendingNamesAsync(cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>Removes the items of a vault that is gone from the index, and tells the user their names.</summary>
    private async Task AbandonVaultAsync(string vault, McpAuthException cause, CancellationToken cancellationToken)
    {
        var abandoned = new List<string>();
        foreach (var (id, info) in store.Index.Read().Where(entry => entry.Value.Vault == vault))
        {
            using var fileLock = await environment.LockAsync(CredentialStore.LockName(id), cancellationToken).ConfigureAwait(false);
            await store.Index.WriteAsync(id, entry => entry?.Vault == vault ? null : entry, cancellationToken).ConfigureAwait(false);
            abandoned.Add(CredentialStore.ItemPrefix + id);
        }
        foreach (var (item, _) in store.Index.ReadIdentities().Where(entry => entry.Value.Vault == vault))
        {
            using var fileLock = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
            await store.Index.WriteIdentityAsync(item, entry => entry?.Vault == vault ? null : entry, cancellationToken).ConfigureAwait(false);
            abandoned.Add(item);
        }
        foreach (var (item, _) in store.Index.ReadRegistrations().Where(entry => entry.Value.Vault == vault))
        {
            using var fileLock = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
            await store.Index.WriteRegistrationAsync(item, entry => entry?.Vault == vault ? entry with { Vault = null } : entry, cancellationToken)
                .ConfigureAwait(false);
            abandoned.Add(item);
        }
        abandoned.AddRange(store.Index.ReadSecrets().Where(s => s.Value == vault).Select(s => s.Key));
        var items = abandoned.Count == 0 ? "No items are known to be in it." : $"These items stay in it: {string.Join(", ", abandoned)}.";
        vaults.Warn($"The vault '{UntrustedText.Sanitize(vault)}' is gone. {items} {cause.Message} If the vault comes back, the next move includes its items.");
    }

    private async Task<bool> CopyAsync(string name, IVault source, IVault target, CancellationToken cancellationToken)
    {
        using var fileLock = await LockAsync(name, cancellationToken).ConfigureAwait(false);
        // The index points to another vault, so this copy is a stale leftover of an interrupted move. Skip it.
        if (IndexedVault(name) is { } indexed && indexed != source.Name
            && await vaults.Find(indexed).GetAsync(name, cancellationToken).ConfigureAwait(false) is not null)
        {
            return false;
        }
        if (await source.GetAsync(name, cancellationToken).ConfigureAwait(false) is not { } text)
        {
            return false;
        }
        await target.SetAsync(name, text, cancellationToken).ConfigureAwait(false);
        if (await target.GetAsync(name, cancellationToken).ConfigureAwait(false) != text)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable,
                $"The vault '{target.Name}' did not return the text that was written to it. Nothing was removed from '{source.Name}'.",
                $"Choose another vault with: {new UseVaultStep(Move: true)}")
            { Vault = target.Name };
        }
        if (NamedSecretStore.IsItem(name))
        {
            await store.Index.WriteSecretAsync(name, target.Name, cancellationToken).ConfigureAwait(false);
        }
        else if (IdentitySessionStore.IsItem(name))
        {
            await store.Index.WriteIdentityAsync(name, entry => entry is null ? null : entry with { Vault = target.Name, Pending = false }, cancellationToken)
                .ConfigureAwait(false);
        }
        else if (CredentialStore.IsClientItem(name))
        {
            await store.Index.WriteRegistrationAsync(name, entry => entry is null ? null : entry with { Vault = target.Name }, cancellationToken)
                .ConfigureAwait(false);
        }
        else if (ServerOf(name) is { } id)
        {
            await store.Index.WriteAsync(id, entry => entry is null ? null : entry with { Vault = target.Name, Pending = false }, cancellationToken)
                .ConfigureAwait(false);
        }
        return true;
    }

    private async Task RemoveAsync(string name, VaultWithFallback source, IVault target, CancellationToken cancellationToken)
    {
        using var fileLock = await LockAsync(name, cancellationToken).ConfigureAwait(false);
        // Another process may have signed in meanwhile and stored the item here. An item that only this vault has stays, too.
        if (!IsMovable(name, source) || (IndexedVault(name) != source.Name && await target.GetAsync(name, cancellationToken).ConfigureAwait(false) is not null))
        {
            try
            {
                await source.RemoveAsync(name, cancellationToken).ConfigureAwait(false);
                if (_settings.IsEnded(source.Name, name))
                {
                    await _settings.RemoveEndedAsync(source.Name, name, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (McpAuthException e) when (SupersededCopies.IsGone(e))
            {
                await source.RemovePendingAsync(name, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Returns false for the leftover of an interrupted self test, and for an item that ended while its vault was gone.</summary>
    private bool IsMovable(string name, VaultWithFallback source) =>
        !name.StartsWith(VaultSelfTest.ItemPrefix, StringComparison.Ordinal) && !_settings.IsEnded(source.Name, name);

    private static string? ServerOf(string name) =>
        name.StartsWith(CredentialStore.ItemPrefix, StringComparison.Ordinal) ? name[CredentialStore.ItemPrefix.Length..] : null;

    private string? IndexedVault(string name) => NamedSecretStore.IsItem(name) ? store.Index.ReadSecrets().GetValueOrDefault(name)
        : IdentitySessionStore.IsItem(name) ? store.Index.ReadIdentities().GetValueOrDefault(name)?.Vault
        : ServerOf(name) is { } id ? store.Index.Read(id)?.Vault : null;

    private Task<FileLock> LockAsync(string name, CancellationToken cancellationToken) =>
        environment.LockAsync(ServerOf(name) is { } id ? CredentialStore.LockName(id) : name, cancellationToken);
}

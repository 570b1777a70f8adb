using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>
/// Takes everything that is kept along to another vault: copies, reads back, switches, then removes. A kill between
/// any two steps leaves each item in at least one vault and the facts naming one that has it; settings.json remembers
/// all that take part, so that the next move, to whichever vault, clears up.
/// </summary>
internal sealed class VaultMigration(AppEnvironment environment, CredentialStore store, VaultSelector vaults)
{
    private readonly Settings _settings = new(environment);

    /// <summary>The other vaults in which something is, or may be left by a move that was cut off.</summary>
    public IReadOnlyList<string> Sources(string to) =>
        [.. store.Index.Read().Values.Select(f => f.Vault).Concat(TakesSecrets(to) ? store.Index.ReadSecrets().Values : [])
            .Concat(store.Index.ReadIdentities().Values.Select(i => i.Vault))
            .Concat(_settings.MovingFrom).Append(vaults.NameInUse).OfType<string>().Where(name => name != to).Distinct()];

    // SecretManagement cannot ask itself: what it serves of other tools' secrets stays out of its vaults.
    private static bool TakesSecrets(string to) => !VaultSelector.IsOfSecretManagement(to);

    /// <returns>The names of the items that were moved.</returns>
    /// <exception cref="McpAuthException">What the vaults throw; SecretTooLarge. Then nothing was removed anywhere.</exception>
    public async Task<IReadOnlyList<string>> RunAsync(string to, CancellationToken cancellationToken)
    {
        vaults.RequireOwnFolder();
        var target = vaults.Find(to);
        await VaultSelfTest.RunAsync(target, cancellationToken).ConfigureAwait(false);
        var takesSecrets = TakesSecrets(to);
        var from = Sources(to);
        var sources = new List<(VaultWithFallback Vault, IReadOnlyList<string> Names)>();
        var gone = new Dictionary<string, McpAuthException>(StringComparer.Ordinal);
        foreach (var name in from)
        {
            // Every vault is opened before the first item is copied: one that is locked ends it here.
            if (await OpenAsync(name, gone, cancellationToken).ConfigureAwait(false) is var (source, items))
            {
                sources.Add((source, [.. items.Where(item => takesSecrets || !NamedSecretStore.IsItem(item))]));
            }
        }
        // The target as well: who is cut off may have put something there that the facts do not know yet.
        var earlier = _settings.MovingFrom;
        await _settings.SetMovingFromAsync([.. from, to], cancellationToken).ConfigureAwait(false);
        var moved = new List<string>();
        try
        {
            foreach (var (source, names) in sources)
            {
                foreach (var name in names.Where(name => IsKept(name, source)))
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
            // It was refused and nothing has changed: no later command should speak of a move to finish.
            await _settings.SetMovingFromAsync(earlier, CancellationToken.None).ConfigureAwait(false);
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
        foreach (var (name, why) in gone)
        {
            await LeaveAsync(name, why, cancellationToken).ConfigureAwait(false);
        }
        // A vault that comes back is cleared up by the next move.
        await _settings.SetMovingFromAsync([.. gone.Keys], cancellationToken).ConfigureAwait(false);
        return moved;
    }

    /// <summary>The vault and its items. Of a vault that is gone these are the ones that wait for it, if it is known at all.</summary>
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

    /// <summary>Takes out of the index what is left in a vault that is gone, and says what that is.</summary>
    private async Task LeaveAsync(string vault, McpAuthException why, CancellationToken cancellationToken)
    {
        var left = new List<string>();
        foreach (var (id, info) in store.Index.Read().Where(f => f.Value.Vault == vault))
        {
            using var held = await environment.LockAsync(CredentialStore.LockName(id), cancellationToken).ConfigureAwait(false);
            await store.Index.WriteAsync(id, f => f?.Vault == vault ? null : f, cancellationToken).ConfigureAwait(false);
            left.Add(CredentialStore.ItemPrefix + id);
        }
        foreach (var (item, _) in store.Index.ReadIdentities().Where(f => f.Value.Vault == vault))
        {
            using var held = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
            await store.Index.WriteIdentityAsync(item, f => f?.Vault == vault ? null : f, cancellationToken).ConfigureAwait(false);
            left.Add(item);
        }
        foreach (var (item, _) in store.Index.ReadRegistrations().Where(f => f.Value.Vault == vault))
        {
            using var held = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
            await store.Index.WriteRegistrationAsync(item, f => f?.Vault == vault ? f with { Vault = null } : f, cancellationToken).ConfigureAwait(false);
            left.Add(item);
        }
        left.AddRange(store.Index.ReadSecrets().Where(s => s.Value == vault).Select(s => s.Key));
        var what = left.Count == 0 ? "Nothing is known to be kept" : $"These items stay";
        vaults.Notify($"{what} in the vault '{UntrustedText.Sanitize(vault)}', which is gone{(left.Count == 0 ? "" : $": {string.Join(", ", left)}")}. {why.Message} "
            + "If it comes back, the next move takes them along.");
    }

    private async Task<bool> CopyAsync(string name, IVault source, IVault target, CancellationToken cancellationToken)
    {
        using var held = await LockAsync(name, cancellationToken).ConfigureAwait(false);
        // What the facts say is elsewhere lies here from a move that was cut off, and is older than what lies there.
        if (FactsVault(name) is { } keeps && keeps != source.Name && await vaults.Find(keeps).GetAsync(name, cancellationToken).ConfigureAwait(false) is not null)
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
                $"The vault '{target.Name}' does not give back what it was given. Nothing was removed from '{source.Name}'.",
                $"Choose another with: {new UseVaultStep(Move: true)}")
            { Vault = target.Name };
        }
        if (NamedSecretStore.IsItem(name))
        {
            await store.Index.WriteSecretAsync(name, target.Name, cancellationToken).ConfigureAwait(false);
        }
        else if (IdentitySessionStore.IsItem(name))
        {
            await store.Index.WriteIdentityAsync(name, f => f is null ? null : f with { Vault = target.Name, Pending = false }, cancellationToken).ConfigureAwait(false);
        }
        else if (CredentialStore.IsClientItem(name))
        {
            await store.Index.WriteRegistrationAsync(name, f => f is null ? null : f with { Vault = target.Name }, cancellationToken).ConfigureAwait(false);
        }
        else if (ServerOf(name) is { } id)
        {
            await store.Index.WriteAsync(id, f => f is null ? null : f with { Vault = target.Name, Pending = false }, cancellationToken).ConfigureAwait(false);
        }
        return true;
    }

    private async Task RemoveAsync(string name, VaultWithFallback source, IVault target, CancellationToken cancellationToken)
    {
        using var held = await LockAsync(name, cancellationToken).ConfigureAwait(false);
        // Somebody may have signed in here again meanwhile; and what is in one vault alone stays in it.
        if (!IsKept(name, source) || (FactsVault(name) != source.Name && await target.GetAsync(name, cancellationToken).ConfigureAwait(false) is not null))
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

    /// <summary>Not what a check left behind that was killed, nor what ended while its vault was gone.</summary>
    private bool IsKept(string name, VaultWithFallback source) =>
        !name.StartsWith(VaultSelfTest.ItemPrefix, StringComparison.Ordinal) && !_settings.IsEnded(source.Name, name);

    private static string? ServerOf(string name) =>
        name.StartsWith(CredentialStore.ItemPrefix, StringComparison.Ordinal) ? name[CredentialStore.ItemPrefix.Length..] : null;

    private string? FactsVault(string name) => NamedSecretStore.IsItem(name) ? store.Index.ReadSecrets().GetValueOrDefault(name)
        : IdentitySessionStore.IsItem(name) ? store.Index.ReadIdentities().GetValueOrDefault(name)?.Vault
        : ServerOf(name) is { } id ? store.Index.Read(id)?.Vault : null;

    private Task<FileLock> LockAsync(string name, CancellationToken cancellationToken) =>
        environment.LockAsync(ServerOf(name) is { } id ? CredentialStore.LockName(id) : name, cancellationToken);
}

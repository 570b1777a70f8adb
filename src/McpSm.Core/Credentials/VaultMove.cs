using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>
/// Takes everything that is kept along to another vault: copies, reads back, switches, then removes. A kill between
/// any two steps leaves each item in at least one vault and the facts naming one that has it; settings.json remembers
/// all that take part, so that the next move, to whichever vault, clears up.
/// </summary>
internal sealed class VaultMove(Home home, CredentialStore store, VaultSelector vaults)
{
    private readonly Settings _settings = new(home);

    /// <summary>The other vaults in which something is, or may be left by a move that was cut off.</summary>
    public IReadOnlyList<string> Sources(string to) =>
        [.. store.Facts.Read().Values.Select(f => f.Vault).Concat(TakesSecrets(to) ? store.Facts.ReadSecrets().Values : [])
            .Concat(store.Facts.ReadIdentities().Values.Select(i => i.Vault))
            .Concat(_settings.MovingFrom).Append(vaults.NameInUse).OfType<string>().Where(name => name != to).Distinct()];

    // SecretManagement cannot ask itself: what it serves of other tools' secrets stays out of its vaults.
    private static bool TakesSecrets(string to) => !VaultSelector.IsOfSecretManagement(to);

    /// <returns>The names of the items that were moved.</returns>
    /// <exception cref="McpAuthException">What the vaults throw; SecretTooLarge. Then nothing was removed anywhere.</exception>
    public async Task<IReadOnlyList<string>> RunAsync(string to, CancellationToken cancellationToken)
    {
        vaults.RequireOwnFolder();
        var target = vaults.Find(to);
        await VaultCheck.RunAsync(target, cancellationToken).ConfigureAwait(false);
        var takesSecrets = TakesSecrets(to);
        var from = Sources(to);
        var sources = new List<(IVault Vault, IReadOnlyList<string> Names)>();
        foreach (var name in from)
        {
            var source = vaults.Find(name);
            // Every vault is opened before the first item is copied: one that is locked ends it here.
            sources.Add((source, [.. (await source.NamesAsync(cancellationToken).ConfigureAwait(false))
                .Where(item => takesSecrets || !NamedSecrets.IsItem(item))]));
        }
        // The target as well: who is cut off may have put something there that the facts do not know yet.
        await _settings.SetMovingFromAsync([.. from, to], cancellationToken).ConfigureAwait(false);
        var moved = new List<string>();
        foreach (var (source, names) in sources)
        {
            foreach (var name in names.Where(IsKept))
            {
                if (await CopyAsync(name, source, target, cancellationToken).ConfigureAwait(false))
                {
                    moved.Add(name);
                }
            }
        }
        await _settings.SetVaultAsync(to, cancellationToken).ConfigureAwait(false);
        foreach (var (source, names) in sources)
        {
            foreach (var name in names)
            {
                await RemoveAsync(name, source, target, cancellationToken).ConfigureAwait(false);
            }
        }
        await _settings.SetMovingFromAsync([], cancellationToken).ConfigureAwait(false);
        return moved;
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
                $"Choose another with: {new UseVaultStep(Move: true)}");
        }
        if (NamedSecrets.IsItem(name))
        {
            await store.Facts.WriteSecretAsync(name, target.Name, cancellationToken).ConfigureAwait(false);
        }
        else if (IdentityStore.IsItem(name))
        {
            await store.Facts.WriteIdentityAsync(name, f => f is null ? null : f with { Vault = target.Name, Pending = false }, cancellationToken).ConfigureAwait(false);
        }
        else if (CredentialStore.IsClientItem(name))
        {
            await store.Facts.WriteRegistrationAsync(name, f => f is null ? null : f with { Vault = target.Name }, cancellationToken).ConfigureAwait(false);
        }
        else if (ServerOf(name) is { } id)
        {
            await store.Facts.WriteAsync(id, f => f is null ? null : f with { Vault = target.Name, Pending = false }, cancellationToken).ConfigureAwait(false);
        }
        return true;
    }

    private async Task RemoveAsync(string name, IVault source, IVault target, CancellationToken cancellationToken)
    {
        using var held = await LockAsync(name, cancellationToken).ConfigureAwait(false);
        // Somebody may have signed in here again meanwhile; and what is in one vault alone stays in it.
        if (!IsKept(name) || (FactsVault(name) != source.Name && await target.GetAsync(name, cancellationToken).ConfigureAwait(false) is not null))
        {
            await source.RemoveAsync(name, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Not what a check left behind that was killed.</summary>
    private static bool IsKept(string name) => !name.StartsWith(VaultCheck.ItemPrefix, StringComparison.Ordinal);

    private static string? ServerOf(string name) =>
        name.StartsWith(CredentialStore.ItemPrefix, StringComparison.Ordinal) ? name[CredentialStore.ItemPrefix.Length..] : null;

    private string? FactsVault(string name) => NamedSecrets.IsItem(name) ? store.Facts.ReadSecrets().GetValueOrDefault(name)
        : IdentityStore.IsItem(name) ? store.Facts.ReadIdentities().GetValueOrDefault(name)?.Vault
        : ServerOf(name) is { } id ? store.Facts.Read(id)?.Vault : null;

    private Task<FileLock> LockAsync(string name, CancellationToken cancellationToken) =>
        home.LockAsync(ServerOf(name) is { } id ? CredentialStore.LockName(id) : name, cancellationToken);
}

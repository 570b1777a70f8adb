using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>
/// Secrets of other tools, each an item of a vault. Which vault that is stands in the facts file, as it does for
/// servers, so that no later choice of a vault loses one. Names differ by more than case; they stand in the item.
/// </summary>
internal sealed class NamedSecretStore(AppEnvironment environment, CredentialIndex index, VaultSelector vaults)
{
    /// <summary>What the items' names begin with: no server's and no registration's do.</summary>
    public const string ItemPrefix = "mcpsmsecret-";

    private readonly SupersededCopies _superseded = new(environment, vaults);

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Whether the facts know of a secret of that name. Opens no vault.</summary>
    public bool Has(string name) => index.ReadSecrets().ContainsKey(ItemName(name));

    /// <summary>The secret; null where there is none.</summary>
    /// <param name="asked">The vault the user named, to look in where the facts know of none.</param>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationCorrupt.</exception>
    public async Task<NamedSecret?> GetAsync(string name, string? asked, CancellationToken cancellationToken)
    {
        var item = ItemName(name);
        for (var again = 3; ; again--)
        {
            var known = index.ReadSecrets().GetValueOrDefault(item);
            if ((known ?? asked ?? InUse) is not { } place
                || (known is null && await _superseded.HasEndedAsync(item, vaults.Find(place), cancellationToken).ConfigureAwait(false)))
            {
                return null;
            }
            if (await ReadAsync(vaults.Find(place), item, cancellationToken).ConfigureAwait(false) is { } secret)
            {
                return secret;
            }
            // What is absent may have been taken to another vault between the two reads: the facts tell.
            if (again == 0 || index.ReadSecrets().GetValueOrDefault(item) is not { } now || now == place)
            {
                return null;
            }
        }
    }

    /// <summary>Keeps the secret. Where it was in another vault it is removed there, afterwards.</summary>
    /// <param name="asked">The vault the user named; null for the one the secret is in, or the one in use.</param>
    /// <exception cref="McpAuthException">InvalidValue: not valid Unicode. SecretTooLarge; and what reading may throw.</exception>
    public async Task SetAsync(NamedSecret secret, string? asked, CancellationToken cancellationToken)
    {
        RequireText(secret.Name, "name");
        RequireText(secret.Text, "secret");
        var item = ItemName(secret.Name);
        using var held = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
        var before = index.ReadSecrets().GetValueOrDefault(item);
        var vault = await ChooseAsync(asked ?? before, cancellationToken).ConfigureAwait(false);
        await _superseded.WriteAsync(item, before, vault.Name, async () =>
        {
            await vault.SetAsync(item, JsonSerializer.Serialize(secret, CredentialJson.Default.NamedSecret), cancellationToken).ConfigureAwait(false);
            await index.WriteSecretAsync(item, vault.Name, cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Replaces the secret's metadata; false where there is no such secret.</summary>
    public async Task<bool> SetMetadataAsync(string name, IReadOnlyDictionary<string, SecretMetadataValue>? metadata, string? asked,
        CancellationToken cancellationToken)
    {
        var item = ItemName(name);
        using var held = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
        if (await GetAsync(name, asked, cancellationToken).ConfigureAwait(false) is not { } secret)
        {
            return false;
        }
        var vault = await ChooseAsync(index.ReadSecrets().GetValueOrDefault(item) ?? asked, cancellationToken).ConfigureAwait(false);
        await vault.ReplaceAsync(item, JsonSerializer.Serialize(secret with { Metadata = metadata }, CredentialJson.Default.NamedSecret), cancellationToken)
            .ConfigureAwait(false);
        return true;
    }

    /// <summary>Removes the secret; false where there is none. If its vault is gone, it is forgotten and a warning names what stays there.</summary>
    public async Task<bool> RemoveAsync(string name, string? asked, CancellationToken cancellationToken)
    {
        var item = ItemName(name);
        using var held = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
        var place = index.ReadSecrets().GetValueOrDefault(item) ?? asked ?? InUse;
        var removed = place is not null && await RemoveAsync(item, name, place, cancellationToken).ConfigureAwait(false);
        await _superseded.RemoveAsync(item, place, cancellationToken).ConfigureAwait(false);
        await index.WriteSecretAsync(item, null, cancellationToken).ConfigureAwait(false);
        return removed;
    }

    private async Task<bool> RemoveAsync(string item, string name, string place, CancellationToken cancellationToken)
    {
        try
        {
            return await vaults.Find(place).RemoveAsync(item, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (SupersededCopies.IsGone(e) && index.ReadSecrets().ContainsKey(item))
        {
            await _superseded.AbandonAsync(item, $"the name '{UntrustedText.Sanitize(name)}'", place, e, cancellationToken).ConfigureAwait(false);
            return true;
        }
    }

    /// <summary>All secrets, of every vault that has one.</summary>
    public async Task<IReadOnlyList<NamedSecret>> ListAsync(string? asked, CancellationToken cancellationToken)
    {
        var known = index.ReadSecrets();
        var found = new List<NamedSecret>();
        foreach (var place in known.Values.Append(asked ?? InUse).OfType<string>().Distinct())
        {
            var vault = vaults.Find(place);
            foreach (var item in (await vault.NamesAsync(cancellationToken).ConfigureAwait(false)).Where(IsItem))
            {
                if (!known.ContainsKey(item) && await _superseded.HasEndedAsync(item, vault, cancellationToken).ConfigureAwait(false))
                {
                    continue;
                }
                // One that the facts say is elsewhere was left here when its writer was killed.
                if (known.GetValueOrDefault(item, place) == place && await ReadAsync(vault, item, cancellationToken).ConfigureAwait(false) is { } secret)
                {
                    found.Add(secret);
                }
            }
        }
        return [.. found.DistinctBy(s => s.Name, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>
    /// The vault for a secret that is kept next: the one named, the one in use, the one that has others, else the
    /// first that works here. That choice is not the user's vault for credentials, and is not remembered as it.
    /// </summary>
    public async Task<IVault> ChooseAsync(string? asked, CancellationToken cancellationToken)
    {
        vaults.RequireOwnFolder();
        if ((asked ?? InUse ?? index.ReadSecrets().Values.FirstOrDefault()) is { } place)
        {
            return vaults.Find(place);
        }
        var (vault, _) = await vaults.OfferAsync(cancellationToken).ConfigureAwait(false);
        // The offer's own notice speaks of credentials, and those may be in another vault, now or later.
        vaults.Notify(vaults.NameInUse is { } other
            ? $"Secrets of other tools are kept in the vault '{vault.Name}', because SecretManagement cannot open '{UntrustedText.Sanitize(other)}', "
                + $"which keeps credentials, while it is asked for this one. {vault.Protection}"
            : $"Secrets of other tools are kept in the vault '{vault.Name}'. {vault.Protection}");
        return vault;
    }

    public static bool IsItem(string item) => item.StartsWith(ItemPrefix, StringComparison.Ordinal);

    /// <summary>Letters, digits and dashes of a fixed length, whatever the name; the same for every spelling of its case.</summary>
    private static string ItemName(string name) =>
        ItemPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name.ToUpperInvariant())))[..32];

    /// <summary>SecretManagement waits for whoever asks for these: a vault of its own cannot be opened meanwhile.</summary>
    private string? InUse => vaults.NameInUse is { } name && !VaultSelector.IsOfSecretManagement(name) ? name : null;

    private static async Task<NamedSecret?> ReadAsync(IVault vault, string item, CancellationToken cancellationToken)
    {
        var text = await vault.GetAsync(item, cancellationToken).ConfigureAwait(false);
        try
        {
            return text is null ? null : JsonSerializer.Deserialize(text, CredentialJson.Default.NamedSecret);
        }
        catch (JsonException)
        {
            throw new McpAuthException(ErrorReason.VaultCorrupt,
                $"The item '{item}' of the vault '{vault.Name}' is not one of ours. It was not changed.", "Remove the item from that vault.")
            { Vault = vault.Name };
        }
    }

    private static void RequireText(string text, string what)
    {
        try
        {
            // JSON would replace half a surrogate pair, and give back another text than was given.
            Strict.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"That {what} cannot be kept: it is not valid Unicode text.");
        }
    }
}

using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>
/// Stores the secrets of other tools, each in a vault item. The index records the vault of each, as it does for servers, so that a later
/// choice of vault loses no secret. Item names are hashes, so the item also contains the real name.
/// </summary>
internal sealed class NamedSecretStore(AppEnvironment environment, CredentialIndex index, VaultSelector vaults)
{
    /// <summary>The prefix of the item names. Items of servers and registrations have other prefixes.</summary>
    public const string ItemPrefix = "mcpsmsecret-";

    private readonly SupersededCopies _superseded = new(environment, vaults);

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    /// <summary>Returns whether the index has a secret of that name. Opens no vault.</summary>
    public bool Has(string name) => index.ReadSecrets().ContainsKey(ItemName(name));

    /// <summary>Reads the secret; null if no vault has it.</summary>
    /// <remarks><paramref name="requestedVault"/> is the vault that the user named. It is read if the index names none.</remarks>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationCorrupt.</exception>
    public async Task<NamedSecret?> GetAsync(string name, string? requestedVault, CancellationToken cancellationToken)
    {
        var item = ItemName(name);
        for (var retries = 3; ; retries--)
        {
            var indexed = index.ReadSecrets().GetValueOrDefault(item);
            if ((indexed ?? requestedVault ?? InUse) is not { } vaultName
                || (indexed is null && await _superseded.HasEndedAsync(item, vaults.Find(vaultName), cancellationToken).ConfigureAwait(false)))
            {
                return null;
            }
            if (await ReadAsync(vaults.Find(vaultName), item, cancellationToken).ConfigureAwait(false) is { } secret)
            {
                return secret;
            }
            // Another process may have moved the secret between the two reads. The index then names another vault.
            if (retries == 0 || index.ReadSecrets().GetValueOrDefault(item) is not { } currentVault || currentVault == vaultName)
            {
                return null;
            }
        }
    }

    /// <summary>Stores the secret. If it was in another vault, removes it there afterwards.</summary>
    /// <remarks><paramref name="requestedVault"/> is the vault that the user named. The default is the vault of the secret, else the vault in use.</remarks>
    /// <exception cref="McpAuthException">InvalidValue: not valid Unicode. SecretTooLarge; the reasons of reading.</exception>
    public async Task SetAsync(NamedSecret secret, string? requestedVault, CancellationToken cancellationToken)
    {
        RequireUnicode(secret.Name, "name");
        RequireUnicode(secret.Text, "secret");
        var item = ItemName(secret.Name);
        using var fileLock = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
        var previousVault = index.ReadSecrets().GetValueOrDefault(item);
        var vault = await ChooseAsync(requestedVault ?? previousVault, cancellationToken).ConfigureAwait(false);
        await _superseded.WriteAsync(item, previousVault, vault.Name, async () =>
        {
            await vault.SetAsync(item, JsonSerializer.Serialize(secret, CredentialJson.Default.NamedSecret), cancellationToken).ConfigureAwait(false);
            await index.WriteSecretAsync(item, vault.Name, cancellationToken).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Replaces the metadata of the secret. Returns false if there is no such secret.</summary>
    public async Task<bool> SetMetadataAsync(string name, IReadOnlyDictionary<string, SecretMetadataValue>? metadata, string? requestedVault,
        CancellationToken cancellationToken)
    {
        var item = ItemName(name);
        using var fileLock = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
        if (await GetAsync(name, requestedVault, cancellationToken).ConfigureAwait(false) is not { } secret)
        {
            return false;
        }
        var vault = await ChooseAsync(index.ReadSecrets().GetValueOrDefault(item) ?? requestedVault, cancellationToken).ConfigureAwait(false);
        await vault.ReplaceAsync(item, JsonSerializer.Serialize(secret with { Metadata = metadata }, CredentialJson.Default.NamedSecret), cancellationToken)
            .ConfigureAwait(false);
        return true;
    }

    /// <summary>Removes the secret. Returns false if it does not exist. If its vault is gone, removes only the index entry and notifies the user.</summary>
    public async Task<bool> RemoveAsync(string name, string? requestedVault, CancellationToken cancellationToken)
    {
        var item = ItemName(name);
        using var fileLock = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
        var vaultName = index.ReadSecrets().GetValueOrDefault(item) ?? requestedVault ?? InUse;
        var removed = vaultName is not null && await RemoveAsync(item, name, vaultName, cancellationToken).ConfigureAwait(false);
        await _superseded.RemoveAsync(item, vaultName, cancellationToken).ConfigureAwait(false);
        await index.WriteSecretAsync(item, null, cancellationToken).ConfigureAwait(false);
        return removed;
    }

    private async Task<bool> RemoveAsync(string item, string name, string vaultName, CancellationToken cancellationToken)
    {
        try
        {
            return await vaults.Find(vaultName).RemoveAsync(item, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (SupersededCopies.IsGone(e) && index.ReadSecrets().ContainsKey(item))
        {
            await _superseded.AbandonAsync(item, $"the secret '{UntrustedText.Sanitize(name)}'", vaultName, e, cancellationToken).ConfigureAwait(false);
            return true;
        }
    }

    /// <summary>Returns all secrets, from every vault that has one.</summary>
    public async Task<IReadOnlyList<NamedSecret>> ListAsync(string? requestedVault, CancellationToken cancellationToken)
    {
        var indexed = index.ReadSecrets();
        var found = new List<NamedSecret>();
        foreach (var vaultName in indexed.Values.Append(requestedVault ?? InUse).OfType<string>().Distinct())
        {
            var vault = vaults.Find(vaultName);
            foreach (var item in (await vault.NamesAsync(cancellationToken).ConfigureAwait(false)).Where(IsItem))
            {
                if (!indexed.ContainsKey(item) && await _superseded.HasEndedAsync(item, vault, cancellationToken).ConfigureAwait(false))
                {
                    continue;
                }
                // If the index names another vault, this copy is a leftover of a process that was killed.
                if (indexed.GetValueOrDefault(item, vaultName) == vaultName && await ReadAsync(vault, item, cancellationToken)
                    .ConfigureAwait(false) is { } secret)
                {
                    found.Add(secret);
                }
            }
        }
        return [.. found.DistinctBy(s => s.Name, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>
    /// Chooses the vault for a new secret: the vault that the user named, else the vault in use, else one that has other secrets, else the
    /// first that works. The choice is not remembered as the user's vault for credentials.
    /// </summary>
    public async Task<IVault> ChooseAsync(string? requestedVault, CancellationToken cancellationToken)
    {
        vaults.RequireOwnFolder();
        if ((requestedVault ?? InUse ?? index.ReadSecrets().Values.FirstOrDefault()) is { } vaultName)
        {
            return vaults.Find(vaultName);
        }
        var (vault, _) = await vaults.OfferAsync(cancellationToken).ConfigureAwait(false);
        // The notice of the offer is about credentials, which may be in another vault.
        vaults.Notify(vaults.NameInUse is { } other
            ? $"Secrets of other tools are stored in the vault '{vault.Name}'. SecretManagement cannot open '{UntrustedText.Sanitize(other)}', "
                + $"the vault for credentials, while it waits for Mcpsm. {vault.Protection}"
            : $"Secrets of other tools are stored in the vault '{vault.Name}'. {vault.Protection}");
        return vault;
    }

    public static bool IsItem(string item) => item.StartsWith(ItemPrefix, StringComparison.Ordinal);

    /// <summary>Returns the item name: letters, digits and dashes of a fixed length. Names that differ only in case have the same.</summary>
    private static string ItemName(string name) =>
        ItemPrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(name.ToUpperInvariant())))[..32];

    /// <summary>The vault in use, except one of SecretManagement: that is the caller here, and cannot open another vault until we return.</summary>
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
                $"The item '{item}' of the vault '{vault.Name}' was not written by Mcpsm. It was not changed.", "Remove the item from that vault.")
            { Vault = vault.Name };
        }
    }

    private static void RequireUnicode(string text, string subject)
    {
        try
        {
            // The JSON serializer would replace half a surrogate pair without an error.
            StrictUtf8.GetByteCount(text);
        }
        catch (EncoderFallbackException)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"The {subject} cannot be stored: it is not valid Unicode text.");
        }
    }
}

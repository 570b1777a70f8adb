using System.Text.Json;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <summary>
/// Stores the clients that issuers registered for us (RFC 7591). The index records which servers use them, and whether the issuer may have
/// forgotten them: it can be written while the vault is locked, and without a prompt.
/// </summary>
internal sealed class ClientRegistrationStore(AppEnvironment environment, VaultSelector vaults, CredentialIndex index)
{
    private readonly SupersededCopies _superseded = new(environment, vaults);

    /// <summary>Reads the stored registration with an issuer, from the vault that has or will have the credential of the server.</summary>
    public async Task<ClientRegistration?> ReadAsync(McpServer server, string issuer, string? vaultName,
        CancellationToken cancellationToken)
    {
        var vault = await ChooseAsync(server, vaultName, cancellationToken).ConfigureAwait(false);
        var (registration, _) = await CredentialStore.FindAsync(vault, CredentialStore.ClientItemName(issuer),
            CredentialJson.Default.ClientRegistration, cancellationToken).ConfigureAwait(false);
        return registration?.Issuer == issuer ? registration : null;
    }

    /// <summary>Stores a registration. A doubt about this client stays in the index; a doubt about the previous client ends.</summary>
    public async Task WriteAsync(McpServer server, ClientRegistration registration, string? vaultName,
        CancellationToken cancellationToken)
    {
        var vault = await ChooseAsync(server, vaultName, cancellationToken).ConfigureAwait(false);
        var item = CredentialStore.ClientItemName(registration.Issuer);
        // The issuer uses the new registration from now on, whether it is in the vault or waits for it.
        await vault.KeepAsync(item, JsonSerializer.Serialize(registration, CredentialJson.Default.ClientRegistration), isRenewal: false).ConfigureAwait(false);
        await index.WriteRegistrationAsync(item, entry => (entry ?? new RegistrationInfo { Issuer = registration.Issuer }).UsedBy(server.Id) with
        {
            Vault = vault.Name,
            DoubtedClient = entry?.DoubtedClient == registration.Client.Id ? entry.DoubtedClient : null,
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns whether an earlier sign-in with this client failed as if the issuer had forgotten it.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public bool IsDoubted(ClientRegistration registration) =>
        index.ReadRegistrations().GetValueOrDefault(CredentialStore.ClientItemName(registration.Issuer))?.DoubtedClient == registration.Client.Id;

    /// <summary>Records that the issuer may have forgotten this client. The next sign-in registers a new one.</summary>
    public Task MarkDoubtedAsync(string issuer, string clientId, CancellationToken cancellationToken) =>
        index.WriteRegistrationAsync(CredentialStore.ClientItemName(issuer),
            entry => (entry ?? new RegistrationInfo { Issuer = issuer }) with { DoubtedClient = clientId }, cancellationToken);

    /// <summary>Records a successful sign-in to the server with this client. It ends a doubt about the client.</summary>
    public Task MarkUsedAsync(McpServer server, ClientRegistration registration, CancellationToken cancellationToken) =>
        index.WriteRegistrationAsync(CredentialStore.ClientItemName(registration.Issuer), entry =>
        {
            var used = (entry ?? new RegistrationInfo { Issuer = registration.Issuer }).UsedBy(server.Id);
            return used.DoubtedClient == registration.Client.Id ? used with { DoubtedClient = null } : used;
        }, cancellationToken);

    /// <summary>Returns the issuers that the server uses, has used, or is configured to use.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<string> IssuersOf(McpServer server) =>
        [.. new[] { server.Issuer, index.Read(server.Id)?.Issuer }
            .Concat(index.ReadRegistrations().Values.Where(entry => entry.Servers.Contains(server.Id)).Select(entry => entry.Issuer))
            .OfType<string>().Distinct()];

    /// <summary>Removes the registration with an issuer from every vault that may have it.</summary>
    /// <returns>Whether a vault had one.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationCorrupt.</exception>
    public async Task<bool> RemoveAsync(McpServer server, string issuer, CancellationToken cancellationToken)
    {
        var item = CredentialStore.ClientItemName(issuer);
        using var fileLock = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
        return await RemoveItemAsync(server, item, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Records that a removed server no longer uses a registration. If no other server uses it, removes the registration.</summary>
    /// <remarks><paramref name="others"/> are the remaining servers.</remarks>
    public async Task LeaveAsync(McpServer server, string issuer, IReadOnlyList<McpServer> others, CancellationToken cancellationToken)
    {
        var item = CredentialStore.ClientItemName(issuer);
        using var fileLock = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
        var (servers, users) = (index.Read(), index.ReadRegistrations().GetValueOrDefault(item)?.Servers ?? []);
        if (others.Any(s => s.Issuer == issuer || servers.GetValueOrDefault(s.Id)?.Issuer == issuer || users.Contains(s.Id))
            || index.ReadIdentities().Values.Any(i => i.Issuer == issuer))
        {
            await index.WriteRegistrationAsync(item, entry => entry?.NotUsedBy(server.Id), cancellationToken).ConfigureAwait(false);
            return;
        }
        await RemoveItemAsync(server, item, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> RemoveItemAsync(McpServer server, string item, CancellationToken cancellationToken)
    {
        var entry = index.ReadRegistrations().GetValueOrDefault(item);
        var vaultNames = new[] { entry?.Vault, index.Read(server.Id)?.Vault, vaults.NameInUse }
            .OfType<string>().Distinct().ToList();
        var removed = false;
        foreach (var vaultName in vaultNames)
        {
            try
            {
                var vault = vaults.Find(vaultName);
                if (await vault.GetAsync(item, cancellationToken).ConfigureAwait(false) is not null)
                {
                    await vault.RemoveAsync(item, cancellationToken).ConfigureAwait(false);
                    removed = true;
                }
            }
            catch (McpAuthException e) when (SupersededCopies.IsGone(e))
            {
                await _superseded.AbandonAsync(item, $"the registration with {UntrustedText.Sanitize(entry?.Issuer)}",
                    entry?.Vault == vaultName ? vaultName : null, e, cancellationToken).ConfigureAwait(false);
            }
        }
        await _superseded.RemoveAsync(item, vaultNames, cancellationToken).ConfigureAwait(false);
        await index.WriteRegistrationAsync(item, _ => null, cancellationToken).ConfigureAwait(false);
        return removed;
    }

    private Task<VaultWithFallback> ChooseAsync(McpServer server, string? vaultName, CancellationToken cancellationToken) =>
        vaults.ChooseAsync(vaultName ?? index.Read(server.Id)?.Vault, cancellationToken);
}

using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <remarks>
/// Registrations with issuers: which servers use them, and whether the issuer may have forgotten them. This data is in the index and
/// not in the vault, so that it can be written while the vault is locked, and without a prompt.
/// </remarks>
public sealed partial class CredentialStore
{
    /// <summary>Returns whether an earlier sign-in with this client failed as if the issuer had forgotten it.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public bool IsDoubted(ClientRegistration registration) =>
        Index.ReadRegistrations().GetValueOrDefault(ClientItemName(registration.Issuer))?.DoubtedClient == registration.Client.Id;

    /// <summary>Records that the issuer may have forgotten this client. The next sign-in registers a new one.</summary>
    public Task MarkDoubtedAsync(string issuer, string clientId, CancellationToken cancellationToken) =>
        Index.WriteRegistrationAsync(ClientItemName(issuer), f => (f ?? new RegistrationInfo { Issuer = issuer }) with { DoubtedClient = clientId },
            cancellationToken);

    /// <summary>Records a successful sign-in to the server with this client. It ends a doubt about the client.</summary>
    public Task MarkUsedAsync(McpServer server, ClientRegistration registration, CancellationToken cancellationToken) =>
        Index.WriteRegistrationAsync(ClientItemName(registration.Issuer), f =>
        {
            var used = (f ?? new RegistrationInfo { Issuer = registration.Issuer }).UsedBy(server.Id);
            return used.DoubtedClient == registration.Client.Id ? used with { DoubtedClient = null } : used;
        }, cancellationToken);

    /// <summary>Returns the issuers that the server uses, has used, or is configured to use.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<string> IssuersOf(McpServer server) =>
        [.. new[] { server.Issuer, Index.Read(server.Id)?.Issuer }
            .Concat(Index.ReadRegistrations().Values.Where(f => f.Servers.Contains(server.Id)).Select(f => f.Issuer)).OfType<string>().Distinct()];

    /// <summary>Removes the registration with an issuer from every vault that may have it.</summary>
    /// <returns>Whether a vault had one.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationCorrupt.</exception>
    public async Task<bool> DropRegistrationAsync(McpServer server, string issuer, CancellationToken cancellationToken)
    {
        var item = ClientItemName(issuer);
        using var fileLock = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
        return await DropAsync(server, item, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Records that a removed server no longer uses a registration. If no other server uses it, removes the registration.</summary>
    /// <remarks><paramref name="others"/> are the remaining servers.</remarks>
    public async Task LeaveRegistrationAsync(McpServer server, string issuer, IReadOnlyList<McpServer> others, CancellationToken cancellationToken)
    {
        var item = ClientItemName(issuer);
        using var fileLock = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
        var (servers, users) = (Index.Read(), Index.ReadRegistrations().GetValueOrDefault(item)?.Servers ?? []);
        if (others.Any(s => s.Issuer == issuer || servers.GetValueOrDefault(s.Id)?.Issuer == issuer || users.Contains(s.Id))
            || Index.ReadIdentities().Values.Any(i => i.Issuer == issuer))
        {
            await Index.WriteRegistrationAsync(item, f => f?.NotUsedBy(server.Id), cancellationToken).ConfigureAwait(false);
            return;
        }
        await DropAsync(server, item, cancellationToken).ConfigureAwait(false);
    }

    private async Task<bool> DropAsync(McpServer server, string item, CancellationToken cancellationToken)
    {
        var entry = Index.ReadRegistrations().GetValueOrDefault(item);
        var vaultNames = new[] { entry?.Vault, Index.Read(server.Id)?.Vault, vaults.NameInUse }
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
                await _superseded.AbandonAsync(item, $"the registration with {UntrustedText.Sanitize(entry?.Issuer)}", entry?.Vault == vaultName ? vaultName : null, e,
                    cancellationToken).ConfigureAwait(false);
            }
        }
        await _superseded.RemoveAsync(item, vaultNames, cancellationToken).ConfigureAwait(false);
        await Index.WriteRegistrationAsync(item, _ => null, cancellationToken).ConfigureAwait(false);
        return removed;
    }
}

using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Core.Credentials;

/// <remarks>
/// Registrations with issuers: which servers use them, and whether the issuer may have forgotten them. That stands in the
/// index and not in the vault: it must be kept even if the vault locks meanwhile, and it costs no prompt.
/// </remarks>
public sealed partial class CredentialStore
{
    /// <summary>Whether an earlier sign-in with this client gave reason to believe that the issuer has forgotten it.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public bool IsDoubted(ClientRegistration registration) =>
        Index.ReadRegistrations().GetValueOrDefault(ClientItemName(registration.Issuer))?.DoubtedClient == registration.Client.Id;

    /// <summary>Remembers that the issuer may have forgotten this client: the next sign-in registers another one.</summary>
    public Task MarkDoubtedAsync(string issuer, string clientId, CancellationToken cancellationToken) =>
        Index.WriteRegistrationAsync(ClientItemName(issuer), f => (f ?? new RegistrationInfo { Issuer = issuer }) with { DoubtedClient = clientId },
            cancellationToken);

    /// <summary>Remembers that the server was signed in to as this client, which the issuer knows after all.</summary>
    public Task MarkUsedAsync(McpServer server, ClientRegistration registration, CancellationToken cancellationToken) =>
        Index.WriteRegistrationAsync(ClientItemName(registration.Issuer), f =>
        {
            var used = (f ?? new RegistrationInfo { Issuer = registration.Issuer }).UsedBy(server.Id);
            return used.DoubtedClient == registration.Client.Id ? used with { DoubtedClient = null } : used;
        }, cancellationToken);

    /// <summary>The issuers that the server was signed in to with, or is to be.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<string> IssuersOf(McpServer server) =>
        [.. new[] { server.Issuer, Index.Read(server.Id)?.Issuer }
            .Concat(Index.ReadRegistrations().Values.Where(f => f.Servers.Contains(server.Id)).Select(f => f.Issuer)).OfType<string>().Distinct()];

    /// <summary>Drops the registration with an issuer, in every vault that may have it.</summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="McpAuthException">What the vaults throw.</exception>
    public async Task<bool> DropRegistrationAsync(McpServer server, string issuer, CancellationToken cancellationToken)
    {
        var item = ClientItemName(issuer);
        using var held = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
        return await DropAsync(server, item, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Takes a server that was removed out of what is known of a registration, and drops that if no other server uses it.</summary>
    /// <param name="others">The servers that are left.</param>
    public async Task LeaveRegistrationAsync(McpServer server, string issuer, IReadOnlyList<McpServer> others, CancellationToken cancellationToken)
    {
        var item = ClientItemName(issuer);
        using var held = await environment.LockAsync(item, cancellationToken).ConfigureAwait(false);
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
        var known = Index.ReadRegistrations().GetValueOrDefault(item);
        var places = new[] { known?.Vault, Index.Read(server.Id)?.Vault, vaults.NameInUse }
            .OfType<string>().Distinct().ToList();
        var wasThere = false;
        foreach (var place in places)
        {
            try
            {
                var vault = vaults.Find(place);
                if (await vault.GetAsync(item, cancellationToken).ConfigureAwait(false) is not null)
                {
                    await vault.RemoveAsync(item, cancellationToken).ConfigureAwait(false);
                    wasThere = true;
                }
            }
            catch (McpAuthException e) when (SupersededCopies.IsGone(e))
            {
                await _superseded.AbandonAsync(item, $"the registration with {UntrustedText.Sanitize(known?.Issuer)}", known?.Vault == place ? place : null, e, cancellationToken)
                    .ConfigureAwait(false);
            }
        }
        await _superseded.RemoveAsync(item, places, cancellationToken).ConfigureAwait(false);
        await Index.WriteRegistrationAsync(item, _ => null, cancellationToken).ConfigureAwait(false);
        return wasThere;
    }
}

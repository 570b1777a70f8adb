using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Http;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Core.Management;

/// <summary>Removes the clients that were registered with issuers (RFC 7591).</summary>
internal sealed class ClientRegistrationManager
{
    private readonly AppEnvironment _environment;
    private readonly CredentialStore _store;

    internal ClientRegistrationManager(AppEnvironment environment, CredentialStore store)
    {
        _environment = environment;
        _store = store;
    }

    /// <summary>
    /// Removes the registration with the server's issuer, so that the next sign-in registers another client. Keeps the tokens, and the clients
    /// that the user supplied.
    /// </summary>
    /// <exception cref="McpAuthException">The reasons of the vaults; the reasons of discovery if the issuer is not known yet.</exception>
    public async Task<RemovedRegistration> RemoveAsync(McpServer server, CancellationToken cancellationToken)
    {
        try
        {
            var registrations = _store.Registrations;
            var issuers = server.Issuer is { } pinned ? [pinned]
                : _store.Index.Read(server.Id)?.Issuer is { } known ? [known]
                : registrations.IssuersOf(server);
            if (issuers.Count == 0 && await DiscoverIssuerAsync(server, cancellationToken).ConfigureAwait(false) is { } discovered)
            {
                issuers = [discovered];
            }
            string? removed = null;
            foreach (var issuer in issuers)
            {
                removed = await registrations.RemoveAsync(server, issuer, cancellationToken).ConfigureAwait(false) ? issuer : removed;
            }
            return new RemovedRegistration(removed ?? issuers.FirstOrDefault(), removed is not null);
        }
        catch (McpAuthException e)
        {
            throw e.For(server.Name);
        }
    }

    /// <summary>Lists the vaults that may contain such a registration.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<string> VaultsOf(McpServer server)
    {
        var registrations = _store.Index.ReadRegistrations();
        return [.. _store.Registrations.IssuersOf(server)
            .Select(issuer => registrations.GetValueOrDefault(CredentialStore.ClientItemName(issuer))?.Vault).OfType<string>()];
    }

    private async Task<string?> DiscoverIssuerAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        var policy = server.PolicyIn(_environment);
        using var http = new RestrictedHttpClient(policy);
        return (await SignInTarget.FindAsync(http, policy, server, item, null, null, cancellationToken).ConfigureAwait(false))?.Issuer.Issuer;
    }
}

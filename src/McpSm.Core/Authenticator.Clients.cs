using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Http;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Core;

/// <remarks>The clients that we are registered as.</remarks>
public sealed partial class Authenticator
{
    /// <summary>
    /// Drops the registration with the server's issuer: the next sign-in registers another client. Tokens stay, and so do
    /// clients that the user supplied.
    /// </summary>
    /// <exception cref="McpAuthException">What the vaults throw; the reasons of discovery if the issuer is not known here.</exception>
    public async Task<RemovedRegistration> ForgetClientAsync(McpServer server, CancellationToken cancellationToken)
    {
        try
        {
            var issuers = server.Issuer is { } pinned ? [pinned] : _store.Index.Read(server.Id)?.Issuer is { } known ? [known] : _store.IssuersOf(server);
            if (issuers.Count == 0 && await AskForIssuerAsync(server, cancellationToken).ConfigureAwait(false) is { } asked)
            {
                issuers = [asked];
            }
            string? forgotten = null;
            foreach (var issuer in issuers)
            {
                forgotten = await _store.DropRegistrationAsync(server, issuer, cancellationToken).ConfigureAwait(false) ? issuer : forgotten;
            }
            return new RemovedRegistration(forgotten ?? issuers.FirstOrDefault(), forgotten is not null);
        }
        catch (McpAuthException e)
        {
            throw e.For(server.Name);
        }
    }

    /// <summary>The vaults that such a registration may be in.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<string> RegistrationVaultsOf(McpServer server)
    {
        var facts = _store.Index.ReadRegistrations();
        return [.. _store.IssuersOf(server).Select(issuer => facts.GetValueOrDefault(Credentials.CredentialStore.ClientItemName(issuer))?.Vault).OfType<string>()];
    }

    private async Task<string?> AskForIssuerAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        var policy = server.PolicyIn(_environment);
        using var http = new RestrictedHttpClient(policy);
        return (await SignInTarget.FindAsync(http, policy, server, item, null, null, cancellationToken).ConfigureAwait(false))?.Issuer.Issuer;
    }

    /// <summary>Drops the registrations that only this server used. It is gone already: a vault that fails is told of.</summary>
    private async Task LeaveRegistrationsAsync(McpServer server, IReadOnlyList<string> issuers, CancellationToken cancellationToken)
    {
        var others = Catalog.List();
        foreach (var issuer in issuers)
        {
            try
            {
                await _store.LeaveRegistrationAsync(server, issuer, others, cancellationToken).ConfigureAwait(false);
            }
            catch (McpAuthException e)
            {
                _interaction.Warn($"The registration with {UntrustedText.Sanitize(issuer)}, which only '{server.Name}' used, could not be removed. {e.Message}");
            }
        }
    }
}

using McpSm.Core.Clients;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core;

/// <summary>How a client signs in by itself: no person, no browser, no redirect (RFC 6749 section 4.4; rule 33).</summary>
internal sealed class ClientSignIn(Home home, McpServer server, ServerItem? item, SignInTarget target, ClientCredentials client,
    SafeHttp http, EntraGrant entra)
{
    /// <exception cref="McpAuthException">ClientRejected; IssuerMismatch: the client was used with another issuer.</exception>
    public async Task<OAuthCredential> RunAsync(CancellationToken cancellationToken)
    {
        var issuer = target.Issuer;
        var microsoft = EntraIssuer.Find(issuer.Issuer);
        if (client.IsManagedIdentity && microsoft is null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue,
                $"A managed identity signs in to Microsoft Entra ID alone, and the issuer of '{server.Name}' is {ForeignText.Clean(issuer.Issuer)}.");
        }
        if (!client.IsManagedIdentity)
        {
            ClientRegistry.RequireIssuer(server, item, client.Id!, issuer);
        }
        var identity = client.IsManagedIdentity ? new ClientIdentity(ClientKind.ManagedIdentity, client.Id!, null, ClientIdentity.None)
            : ClientIdentity.Create(ClientKind.PreRegistered, client.Id!, client.Secret, issuer, key: client.Key);
        // Rule 10: what offline_access asks for, a refresh token, has no place here.
        var scopes = server.Scopes.Count > 0 ? server.Scopes : [.. target.Scopes.Where(s => s != Discovery.Scopes.Offline)];
        try
        {
            var tokens = microsoft is not null ? await entra.ForClientAsync(server, microsoft, identity, scopes, cancellationToken).ConfigureAwait(false)
                : await ClientCredentialsGrant.RequestAsync(http, issuer.TokenEndpoint, issuer.Issuer, identity,
                    target.Resource, scopes, home.Time, cancellationToken).ConfigureAwait(false);
            return target.Credential(identity, tokens, home.Time.GetUtcNow()) with { IsOfClient = true };
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.ClientRejected)
        {
            throw e.For(server.Name, "Check the client's id and its secret or key, and that the issuer lets it sign in by itself.");
        }
    }
}

using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Entra;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Registration;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>
/// Signs in a client (RFC 6749 section 4.4; rule 33 of docs/rules.md) or a workload (RFC 7523 section 2.1; rule 36) without a person, a browser
/// or a redirect.
/// </summary>
internal sealed class UnattendedSignIn(AppEnvironment environment, McpServer server, ServerSecrets? item, SignInTarget target, ClientCredentials client,
    RestrictedHttpClient http, EntraTokenClient entra)
{
    /// <exception cref="McpAuthException">ClientRejected, AssertionRejected; IssuerMismatch: the client belongs to another issuer.</exception>
    public async Task<OAuthCredential> RunAsync(CancellationToken cancellationToken)
    {
        var issuer = target.Issuer;
        var identity = Identify();
        // Rule 10: what offline_access asks for, a refresh token, has no place here.
        var scopes = server.Scopes.Count > 0 ? server.Scopes : [.. target.Scopes.Where(s => s != Discovery.Scopes.Offline)];
        try
        {
            var tokens = client.Assertion is { } source
                ? await JwtBearerGrant.RequestAsync(http, issuer.TokenEndpoint, issuer.Issuer, identity, source.Read(environment, cancellationToken),
                    target.ResourceParameter, scopes, target.DPoP.Bind(), environment.Time, cancellationToken).ConfigureAwait(false)
                : EntraIssuer.Find(issuer.Issuer) is { } microsoft
                ? await entra.ForClientAsync(server, microsoft, identity, scopes, cancellationToken).ConfigureAwait(false)
                : await ClientCredentialsGrant.RequestAsync(http, issuer.TokenEndpoint, issuer.Issuer, identity,
                    target.ResourceParameter, scopes, target.DPoP.Bind(), environment.Time, cancellationToken).ConfigureAwait(false);
            return target.Credential(identity, tokens, environment.Time.GetUtcNow()) with
            {
                IsOfClient = client.Assertion is null,
                Assertion = client.Assertion,
            };
        }
        catch (McpAuthException e) when (Advice(e) is { } remedy)
        {
            throw e.For(server.Name, remedy);
        }
    }

    /// <summary>Returns the client identity, after checking that it belongs to this issuer.</summary>
    private ClientIdentity Identify()
    {
        var issuer = target.Issuer;
        var isEntra = EntraIssuer.Find(issuer.Issuer) is not null;
        if (client.IsManagedIdentity)
        {
            return isEntra ? new ClientIdentity(ClientKind.ManagedIdentity, client.Id!, null, ClientIdentity.None)
                : throw new McpAuthException(ErrorReason.InvalidValue,
                    $"A managed identity can sign in only to Microsoft Entra ID, "
                    + $"but the issuer of '{server.Name}' is {UntrustedText.Sanitize(issuer.Issuer)}.");
        }
        if (client.Assertion is { } assertion)
        {
            if (isEntra)
            {
                throw new McpAuthException(ErrorReason.InvalidValue,
                    $"The issuer of '{server.Name}' is Microsoft Entra ID, which does not accept the assertion of a workload as a grant.",
                    new SignInStep(server) { Options = [StepOptionKind.ManagedIdentity] })
                { Server = server.Name };
            }
            ClientRegistrar.RequireIssuer(server, item, assertion, issuer);
            if (client.Id is null or "")
            {
                return new ClientIdentity(ClientKind.Workload, "", null, ClientIdentity.None);
            }
        }
        ClientRegistrar.RequireIssuer(server, item, client.Id!, issuer);
        // A client with a secret must authenticate with it, whatever the grant (RFC 6749 section 3.2.1).
        var secret = client.Assertion is not null && client.Id == server.ClientId ? item?.ClientSecret ?? server.Plaintext.ClientSecret : client.Secret;
        return ClientIdentity.Create(ClientKind.PreRegistered, client.Id!, secret, issuer,
            ClientRegistrar.PreviousMethod(item, client.Id!, issuer), client.Key);
    }

    /// <summary>Returns what to do; null if the failure has a remedy, or does not concern the client.</summary>
    private string? Advice(McpAuthException e) => (e.Reason, client.Assertion) switch
    {
        (ErrorReason.ClientRejected, null) => "Check the client's id and its secret or key, and that the issuer allows it the client credentials grant.",
        (ErrorReason.ClientRejected, _) => "Check the client's id, and that the issuer allows it the JWT bearer grant.",
        (ErrorReason.AssertionRejected, _) => "Check that the issuer trusts the signer and the subject of the assertion, that its audience is "
            + $"{UntrustedText.Sanitize(target.Issuer.Issuer)} or the one that the issuer requires, and that it has not expired.",
        (_, not null) when e.OAuthError == "unsupported_grant_type" =>
            "The issuer does not accept assertions of workloads. Ask its operator, or sign in another way.",
        _ => null,
    };
}

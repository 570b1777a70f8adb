using System.Buffers.Text;
using System.Security.Cryptography;
using Duende.IdentityModel.Client;
using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Interruption;
using McpSm.Core.Servers;

namespace McpSm.Core.Registration;

/// <summary>Finds the client that Mcpsm is at an issuer: one that the user supplied, a client metadata document, or a registration (rules 11 to 15 of
/// docs/rules.md).</summary>
internal sealed class ClientRegistrar(AppEnvironment environment, CredentialStore store)
{
    /// <summary>Returns the client that needs no registration; null if Mcpsm must register one.</summary>
    /// <exception cref="McpAuthException">IssuerMismatch: the user's client belongs to another issuer.</exception>
    public static ClientIdentity? CreateSupplied(McpServer server, ServerSecrets? item, AuthorizationServerMetadata issuer, string? metadataUrl)
    {
        if (server.ClientId is { } id)
        {
            RequireIssuer(server, item, id, issuer);
            return ClientIdentity.Create(ClientKind.PreRegistered, id,
                item?.ClientSecret ?? server.Plaintext.ClientSecret, issuer, PreviousMethod(item, id, issuer));
        }
        return metadataUrl is not null && issuer.ClientIdMetadataDocumentSupported
            ? new ClientIdentity(ClientKind.MetadataDocument, metadataUrl, null, ClientIdentity.None) : null;
    }

    /// <summary>
    /// Returns the authentication method that the issuer accepted in the last sign-in to the server; null if that sign-in was at another
    /// issuer, or if the issuer no longer advertises the method.
    /// </summary>
    internal static string? PreviousMethod(ServerSecrets? item, string id, AuthorizationServerMetadata issuer) =>
        item?.OAuth is { } before && before.Issuer == issuer.Issuer && before.Client.Id == id
            && issuer.TokenEndpointAuthMethods?.Contains(before.Client.AuthMethod) != false ? before.Client.AuthMethod : null;

    /// <summary>Throws if the user registered the client with another issuer: its secret must not go there (rule 15).</summary>
    /// <exception cref="McpAuthException">IssuerMismatch.</exception>
    public static void RequireIssuer(McpServer server, ServerSecrets? item, string id, AuthorizationServerMetadata issuer)
    {
        var owner = item?.ClientIssuers?.GetValueOrDefault(id);
        // The user trusts an issuer that the user pinned.
        if (owner is not null && owner != issuer.Issuer && server.Issuer != issuer.Issuer)
        {
            throw new McpAuthException(ErrorReason.IssuerMismatch,
                $"The client id of '{server.Name}' is registered with {UntrustedText.Sanitize(owner)}, but the server now "
                + $"names the issuer {UntrustedText.Sanitize(issuer.Issuer)}.",
                $"If that is right: "
                    + $"{new UpdateServerStep(server, id == server.ClientId ? [StepOptionKind.ClientId, StepOptionKind.Issuer] : [StepOptionKind.Issuer])}");
        }
    }

    /// <summary>Throws if the workload's assertion was first sent to another issuer: it must not be sent to this one.</summary>
    /// <exception cref="McpAuthException">IssuerMismatch.</exception>
    public static void RequireIssuer(McpServer server, ServerSecrets? item, WorkloadAssertionSource assertion, AuthorizationServerMetadata issuer)
    {
        if (item?.ClientIssuers?.GetValueOrDefault(assertion.Location) is { } owner && owner != issuer.Issuer && server.Issuer != issuer.Issuer)
        {
            throw new McpAuthException(ErrorReason.IssuerMismatch,
                $"The assertion of '{server.Name}' is for {UntrustedText.Sanitize(owner)}, "
                + $"but the server now names the issuer {UntrustedText.Sanitize(issuer.Issuer)}.",
                $"If that is right: {new UpdateServerStep(server, StepOptionKind.Issuer)}");
        }
    }

    /// <summary>Returns the error for a sign-in to Entra ID without a client id. Entra ID does not support dynamic registration.</summary>
    public static McpAuthException NoEntraClient(McpServer server, EntraIssuer issuer) => new(ErrorReason.ClientRegistrationFailed,
        $"Microsoft Entra ID does not support dynamic client registration, and no client id is set for '{server.Name}'.",
        $"Register an app at {issuer.Portal} (App registrations, platform 'Mobile and desktop applications', redirect URI http://localhost), "
        + $"then: {new UpdateServerStep(server, new StepOption(StepOptionKind.ClientId) { Template = "<application id>" })}");

    /// <summary>Checks that the URL of a client metadata document can be a client id: https, with a path (rule 12).</summary>
    public static string CheckMetadataUrl(string url) =>
        UrlPolicy.TryParse(url, out var uri) && uri.Scheme == "https" && uri.AbsolutePath.Length > 1
            && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0 ? url
            : throw new McpAuthException(ErrorReason.InvalidValue,
                "The client metadata URL must use https and have a path. It must not have a user name or a fragment.");

    /// <summary>Returns the stored registration with the issuer; null if there is no registration, or if its secret has expired.</summary>
    public async Task<ClientRegistration?> FindStoredAsync(McpServer server, AuthorizationServerMetadata issuer, string? vault,
        CancellationToken cancellationToken)
    {
        var kept = await store.Registrations.ReadAsync(server, issuer.Issuer, vault, cancellationToken).ConfigureAwait(false);
        return kept is null || HasExpired(kept) ? null
            : kept.Candidate is { } candidate && HasExpired(candidate) ? kept with { Candidate = null } : kept;
    }

    private bool HasExpired(ClientRegistration registration) => registration.SecretExpiresAt is { } end && end <= environment.Time.GetUtcNow();

    /// <summary>
    /// Asks the issuer whether it has forgotten a registered client. A token endpoint authenticates the client first, and reports an unknown
    /// one (RFC 6749 section 5.2). The authorization code that we send is random and never valid.
    /// </summary>
    /// <returns>Whether the issuer said that it does not know the client; false if its answer does not tell.</returns>
    public async Task<bool> IsForgottenAsync(
        RestrictedHttpClient http, AuthorizationServerMetadata issuer, ClientRegistration kept, CancellationToken cancellationToken)
    {
        using var request = new AuthorizationCodeTokenRequest
        {
            Address = issuer.TokenEndpoint,
            Code = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)),
            RedirectUri = RegisteredRedirectUri.Uri(kept.RedirectHost, kept.Ports[0]),
        };
        using var limit = new TimeLimit(http.Time, ProbeTimeout, cancellationToken);
        try
        {
            // With the DPoP handling of a grant: an issuer may require a proof before it looks at the client (RFC 9449 section 5).
            await kept.Client.SendAsync(request, http.Protocol.RequestAuthorizationCodeTokenAsync, issuer.Issuer, SenderConstraint.None, [], environment.Time,
                [request.Code], limit.Token).ConfigureAwait(false);
            return false;
        }
        catch (McpAuthException e)
        {
            return e.OAuthError == "invalid_client";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>Stores a registration. It replaces the previous one.</summary>
    public Task StoreAsync(McpServer server, ClientRegistration registration, string? vault, CancellationToken cancellationToken) =>
        store.Registrations.WriteAsync(server, registration, vault, cancellationToken);

    /// <summary>Returns whether the issuer may have forgotten the client of a registration.</summary>
    public bool IsDoubted(ClientRegistration registration) => store.Registrations.IsDoubted(registration);

    /// <summary>Records that the issuer may have forgotten the client of a registration.</summary>
    public Task MarkDoubtedAsync(ClientRegistration registration, CancellationToken cancellationToken) =>
        store.Registrations.MarkDoubtedAsync(registration.Issuer, registration.Client.Id, cancellationToken);

    /// <summary>Records that a sign-in with a stored registration has succeeded.</summary>
    public Task MarkUsedAsync(McpServer server, ClientRegistration registration, CancellationToken cancellationToken) =>
        store.Registrations.MarkUsedAsync(server, registration, cancellationToken);

    /// <summary>Removes the candidate of the stored registration, if it is this one.</summary>
    public async Task DropCandidateAsync(McpServer server, ClientRegistration candidate, string? vault, CancellationToken cancellationToken)
    {
        using var held = await environment.LockAsync(CredentialStore.ClientItemName(candidate.Issuer), cancellationToken).ConfigureAwait(false);
        var kept = await store.Registrations.ReadAsync(server, candidate.Issuer, vault, cancellationToken).ConfigureAwait(false);
        if (kept?.Candidate?.Client.Id == candidate.Client.Id)
        {
            await store.Registrations.WriteAsync(server, kept with { Candidate = null }, vault, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Stores the authentication method that the issuer accepted for a registered client.</summary>
    public async Task KeepMethodAsync(
        McpServer server, ClientIdentity proven, AuthorizationServerMetadata issuer, string? vault, CancellationToken cancellationToken)
    {
        using var held = await environment.LockAsync(CredentialStore.ClientItemName(issuer.Issuer), cancellationToken).ConfigureAwait(false);
        var kept = await store.Registrations.ReadAsync(server, issuer.Issuer, vault, cancellationToken).ConfigureAwait(false);
        if (kept is not null && kept.Client.Id == proven.Id && kept.Client != proven)
        {
            await store.Registrations.WriteAsync(server, kept with { Client = proven }, vault, cancellationToken).ConfigureAwait(false);
        }
    }

    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(10);
}

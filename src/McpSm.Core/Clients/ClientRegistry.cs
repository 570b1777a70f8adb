using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using McpSm.Core.Browsing;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core.Clients;

/// <summary>How we are known to an issuer: supplied, by metadata document, or registered (rules 11 to 15).</summary>
public sealed class ClientRegistry(Home home, CredentialStore store)
{
    /// <summary>The identity that needs no registration; null where one must be registered.</summary>
    /// <exception cref="McpAuthException">IssuerMismatch: the user's client belongs to another issuer.</exception>
    public static ClientIdentity? Supplied(McpServer server, ServerItem? item, IssuerMetadata issuer, string? metadataUrl)
    {
        if (server.ClientId is { } id)
        {
            RequireIssuer(server, item, id, issuer);
            return ClientIdentity.Create(ClientKind.PreRegistered, id,
                item?.ClientSecret ?? server.Plaintext.ClientSecret, issuer);
        }
        return metadataUrl is not null && issuer.TakesMetadataDocuments
            ? new ClientIdentity(ClientKind.MetadataDocument, metadataUrl, null, ClientIdentity.None) : null;
    }

    /// <summary>Refuses to show a client that the user registered to another issuer than its own (rule 15).</summary>
    /// <exception cref="McpAuthException">IssuerMismatch.</exception>
    public static void RequireIssuer(McpServer server, ServerItem? item, string id, IssuerMetadata issuer)
    {
        var owner = item?.ClientIssuers?.GetValueOrDefault(id);
        // An issuer that the user pinned is one that the user vouches for.
        if (owner is not null && owner != issuer.Issuer && server.Issuer != issuer.Issuer)
        {
            throw new McpAuthException(ErrorReason.IssuerMismatch,
                $"The client id of '{server.Name}' is registered with {ForeignText.Clean(owner)}, and the server now "
                + $"names the issuer {ForeignText.Clean(issuer.Issuer)}.",
                "If that is right: "
                + NextCommand.For("server update", server.Id, id == server.ClientId ? "--client-id <id> --issuer <url>" : "--issuer <url>"));
        }
    }

    /// <summary>Refuses to show a workload's assertion to another issuer than the one it was first shown to.</summary>
    /// <exception cref="McpAuthException">IssuerMismatch.</exception>
    public static void RequireIssuer(McpServer server, ServerItem? item, AssertionSource assertion, IssuerMetadata issuer)
    {
        if (item?.ClientIssuers?.GetValueOrDefault(assertion.Place) is { } owner && owner != issuer.Issuer && server.Issuer != issuer.Issuer)
        {
            throw new McpAuthException(ErrorReason.IssuerMismatch,
                $"The assertion of '{server.Name}' is for {ForeignText.Clean(owner)}, and the server now names the issuer {ForeignText.Clean(issuer.Issuer)}.",
                $"If that is right: {NextCommand.For("server update", server.Id, "--issuer <url>")}");
        }
    }

    /// <summary>What to do before signing in to Entra ID, which registers no clients by itself.</summary>
    public static McpAuthException NoEntraClient(McpServer server, EntraIssuer issuer) => new(ErrorReason.ClientRegistrationFailed,
        $"Microsoft Entra ID registers no clients by itself, and no client id is set for '{server.Name}'.",
        $"Register an app at {issuer.Portal} (App registrations, platform 'Mobile and desktop applications', redirect URI http://localhost), "
        + $"then: {NextCommand.For("server update", server.Id, "--client-id <application id>")}");

    /// <summary>A metadata document's URL as a client id: https with a path (rule 12).</summary>
    public static string CheckMetadataUrl(string url) =>
        UrlPolicy.TryParse(url, out var uri) && uri.Scheme == "https" && uri.AbsolutePath.Length > 1
            && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0 ? url
            : throw new McpAuthException(ErrorReason.InvalidValue,
                "The client metadata URL must be https, with a path, without user name and fragment.");

    /// <summary>The registration kept for the issuer whose secret, if it has one, still holds.</summary>
    public async Task<KeptRegistration?> KeptAsync(McpServer server, IssuerMetadata issuer, string? vault,
        CancellationToken cancellationToken)
    {
        var kept = await store.ReadRegistrationAsync(server, issuer.Issuer, vault, cancellationToken).ConfigureAwait(false);
        return kept?.SecretExpiresAt is { } end && end <= home.Time.GetUtcNow() ? null : kept;
    }

    /// <summary>
    /// Asks whether the issuer has forgotten a client that registered itself. Its token endpoint looks at the client before
    /// anything else, and says so (RFC 6749 section 5.2). The code that is shown to it is none.
    /// </summary>
    /// <returns>False also where the issuer does not tell.</returns>
    public async Task<bool> IsForgottenAsync(SafeHttp http, IssuerMetadata issuer, KeptRegistration kept, CancellationToken cancellationToken)
    {
        using var request = new AuthorizationCodeTokenRequest
        {
            Address = issuer.TokenEndpoint,
            Code = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32)),
            RedirectUri = $"http://127.0.0.1:{kept.Ports[0]}{CallbackListener.Path}",
        };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(LongestQuestion);
        try
        {
            // As a grant asks: of a client whose tokens are bound an issuer may want the proof first (RFC 9449 section 5).
            await kept.Client.SendAsync(request, http.Protocol.RequestAuthorizationCodeTokenAsync, issuer.Issuer, TokenBinding.None, [], home.Time,
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

    /// <summary>Registers with the issuer (RFC 7591) and keeps what it gave.</summary>
    /// <param name="scopes">The scopes to register for. Null to name none: what the issuer makes of that suits most servers.</param>
    /// <exception cref="McpAuthException">ClientRegistrationFailed, with the issuer's own reason.</exception>
    public async Task<KeptRegistration> RegisterAsync(McpServer server, SafeHttp http, IssuerMetadata issuer, int port,
        string redirectUri, IReadOnlyList<string>? scopes, string? vault, CancellationToken cancellationToken)
    {
        if (issuer.RegistrationEndpoint is not { } endpoint)
        {
            throw new McpAuthException(ErrorReason.ClientRegistrationFailed,
                $"The issuer {ForeignText.Clean(issuer.Issuer)} registers no clients by itself.",
                $"Register one there with the redirect URI {redirectUri}, then: {NextCommand.For("server update", server.Id, "--client-id <id>")}");
        }
        var methods = issuer.TokenEndpointAuthMethods;
        var method = methods is null || methods.Contains(ClientIdentity.None) ? ClientIdentity.None
            : methods.Contains(ClientIdentity.Basic) ? ClientIdentity.Basic
            : methods.Contains(ClientIdentity.Post) ? ClientIdentity.Post : ClientIdentity.None;
        var document = new DynamicClientRegistrationDocument
        {
            ClientName = "Mcpsm",
            ApplicationType = "native",
            RedirectUris = [new Uri(redirectUri)],
            ResponseTypes = ["code"],
            GrantTypes =
            [
                "authorization_code", "refresh_token",
                .. issuer.GrantTypesSupported?.Contains(DeviceGrant) == true ? [DeviceGrant] : Array.Empty<string>(),
                // Of an identity provider: what its ID tokens are for.
                .. issuer.RequestedTokenTypes?.Contains(TokenExchangeGrant.IdJag) == true ? [OidcConstants.GrantTypes.TokenExchange] : Array.Empty<string>(),
            ],
            TokenEndpointAuthenticationMethod = method,
            Scope = scopes is null ? null : Discovery.Scopes.Join(scopes),
            // Empty lists would be sent as such, and some issuers refuse them.
            Contacts = null!,
            DefaultAcrValues = null!,
            RequestUris = null!,
            PostLogoutRedirectUris = null!,
        };
        using var request = new DynamicClientRegistrationRequest
        {
            Address = http.Endpoint(endpoint, "The registration endpoint"),
            Document = document,
        };
        using var response = await http.Protocol.RegisterClientAsync(request, cancellationToken).ConfigureAwait(false);
        if (TokenSet.IsFailure(response))
        {
            var why = TokenSet.Refused(response);
            throw new McpAuthException(why.Reason == ErrorReason.ServerUnreachable ? why.Reason : ErrorReason.ClientRegistrationFailed,
                $"Registering with {ForeignText.Clean(issuer.Issuer)} failed. {why.Message}",
                $"Supply a client of your own: {NextCommand.For("server update", server.Id, "--client-id <id>")}", why)
            { OAuthError = why.OAuthError, StatusCode = why.StatusCode };
        }
        if (!TokenSet.IsReadable(response) || response.ClientId is not { Length: > 0 } id)
        {
            throw new McpAuthException(ErrorReason.ClientRegistrationFailed,
                $"The issuer {ForeignText.Clean(issuer.Issuer)} answered the registration without a client id.");
        }
        var granted = response.TryGet("token_endpoint_auth_method") ?? (method == ClientIdentity.None ? null : method);
        var secret = granted == ClientIdentity.None || response.ClientSecret is not { Length: > 0 } given ? null : given;
        var identity = ClientIdentity.Create(ClientKind.Dynamic, id, secret, issuer, granted) with
        {
            // Not asked for: what is registered is kept by issuer, and the next server there may take bearer tokens alone.
            IsDPoPBound = response.Json is { } json && json.TryGetProperty("dpop_bound_access_tokens", out var bound) && bound.ValueKind == JsonValueKind.True,
        };
        var registration = new KeptRegistration
        {
            Issuer = issuer.Issuer,
            Client = identity,
            Ports = [port],
            Scopes = scopes,
            SecretExpiresAt = identity.Secret is not null && response.TryGet("client_secret_expires_at") is { } end
                && long.TryParse(end, out var seconds) && seconds is > 0 and < 253402300799
                ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null,
        };
        await store.WriteRegistrationAsync(server, registration, vault, cancellationToken).ConfigureAwait(false);
        return registration;
    }

    private static readonly TimeSpan LongestQuestion = TimeSpan.FromSeconds(10);

    private const string DeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";
}

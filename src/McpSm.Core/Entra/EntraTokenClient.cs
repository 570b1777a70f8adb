using McpSm.Core.Browsing;
using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Interruption;
using McpSm.Core.Servers;
using Microsoft.Identity.Client;
using Microsoft.Identity.Client.AppConfig;
using Microsoft.Identity.Client.Extensibility;

namespace McpSm.Core.Entra;

/// <summary>
/// Gets tokens from Microsoft Entra ID through MSAL, the library of Microsoft. MSAL does PKCE and sends no <c>resource</c>, which Entra
/// rejects. Here it logs nothing, stores nothing, and uses our HTTP client. It is loaded when a member of this class runs.
/// </summary>
/// <param name="environment">The environment of this process.</param>
/// <param name="transport">Creates the handler for requests. The default is a socket handler.</param>
/// <param name="progress">Receives a line for each request.</param>
internal sealed class EntraTokenClient(AppEnvironment environment, Func<HttpMessageHandler>? transport = null, IProgress<string>? progress = null)
{
    /// <summary>Signs in a person with a browser.</summary>
    /// <remarks><paramref name="ask"/> opens the URL for the person, and returns the response with the given <c>state</c>.</remarks>
    /// <exception cref="McpAuthException">AuthorizationDenied, IssuerMismatch, …</exception>
    public async Task<TokenSet> WithBrowserAsync(McpServer server, EntraIssuer issuer, string clientId, IReadOnlyList<string> scopes,
        string redirectUri, Func<Uri, string, CancellationToken, Task<CallbackResponse>> ask, CancellationToken cancellationToken)
    {
        using var http = Http(server);
        var cache = new MsalTokenCache();
        var app = App(issuer, clientId, http, cache, redirectUri);
        var browser = new MsalWebUi(issuer, server.PolicyIn(environment), ask);
        var signedIn = false;
        try
        {
            var result = await MsalExceptionMapper.MapAsync(
                () => app.AcquireTokenInteractive(EntraScopes.ForPerson(server, scopes)).WithCustomWebUi(browser).ExecuteAsync(cancellationToken),
                () => [browser.Code], cancellationToken).ConfigureAwait(false);
            var tokens = Read(result, Given(result, scopes), cache);
            signedIn = true;
            return tokens;
        }
        catch (McpAuthException) when (browser.Cancelled is not null)
        {
            throw new OperationCanceledException(browser.Cancelled.Message, browser.Cancelled, browser.Cancelled.CancellationToken);
        }
        finally
        {
            await browser.FinishAsync(signedIn).ConfigureAwait(false);
        }
    }

    /// <summary>Signs in a person with another device (RFC 8628).</summary>
    /// <remarks><paramref name="exchange"/> runs during each token request, and continues after the response that has the token.</remarks>
    /// <exception cref="McpAuthException">AuthorizationDenied, AuthenticationTimeout, …</exception>
    public async Task<TokenSet> WithDeviceCodeAsync(McpServer server, EntraIssuer issuer, string clientId, IReadOnlyList<string> scopes,
        Action<DeviceCode> show, TokenExchange exchange, CancellationToken cancellationToken)
    {
        var policy = server.PolicyIn(environment);
        using var http = new RestrictedHttpClient(policy, progress,
            transport: new ExchangingHandler(exchange, transport?.Invoke() ?? RestrictedHttpClient.NewSocketsHandler(policy)));
        var cache = new MsalTokenCache();
        var app = App(issuer, clientId, http, cache);
        string? deviceCode = null;
        var result = await MsalExceptionMapper.MapAsync(() => app.AcquireTokenWithDeviceCode(EntraScopes.ForPerson(server, scopes), code =>
        {
            deviceCode = code.DeviceCode;
            show(new DeviceCode(DeviceCodeGrant.UserCode(code.UserCode),
                server.PolicyIn(environment).Check(code.VerificationUrl, "The verification page"), null,
                code.ExpiresOn - environment.Time.GetUtcNow()));
            return Task.CompletedTask;
        }).ExecuteAsync(cancellationToken), () => [deviceCode], cancellationToken).ConfigureAwait(false);
        return Read(result, Given(result, scopes), cache);
    }

    /// <summary>Renews the tokens of a person.</summary>
    /// <remarks><paramref name="stored"/> is the <see cref="TokenSet.RefreshToken"/> of the previous sign-in or renewal.</remarks>
    /// <exception cref="McpAuthException">RefreshTokenRejected; AuthenticationRequired: a person must act, and the stored token stays valid.</exception>
    public async Task<TokenSet> RenewAsync(McpServer server, EntraIssuer issuer, string clientId, IReadOnlyList<string> scopes,
        string stored, CancellationToken cancellationToken)
    {
        using var http = Http(server);
        var cache = new MsalTokenCache(stored);
        var app = App(issuer, clientId, http, cache);
        try
        {
            var result = await MsalExceptionMapper.MapAsync(async () =>
            {
                // There is only one account, because each sign-in starts with an empty cache.
                var account = (await app.GetAccountsAsync().ConfigureAwait(false)).FirstOrDefault();
                return await app.AcquireTokenSilent(scopes.Where(s => !EntraScopes.IsOfPerson(s)), account)
                    .WithForceRefresh(true).ExecuteAsync(cancellationToken)
                    .ConfigureAwait(false);
            }, cache.Secrets, cancellationToken).ConfigureAwait(false);
            return Read(result, Given(result, scopes), cache);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.AuthenticationRequired)
        {
            throw e.For(server.Name, new SignInStep(server));
        }
        catch (McpAuthException e) when (RefreshTokenGrant.IsRejection(e))
        {
            throw RefreshTokenGrant.Rejected(e);
        }
    }

    /// <summary>
    /// Signs in a client without a person (RFC 6749 section 4.4): with its secret, with its certificate, or as a managed identity of Azure.
    /// </summary>
    /// <exception cref="McpAuthException">ClientRejected, InsufficientScope, ResourceMismatch; InvalidValue: no tenant or no certificate.</exception>
    public async Task<TokenSet> ForClientAsync(McpServer server, EntraIssuer issuer, ClientIdentity client, IReadOnlyList<string> scopes,
        CancellationToken cancellationToken)
    {
        var scope = EntraScopes.ForClient(server, scopes);
        var result = client.Kind == ClientKind.ManagedIdentity ? await ForMachineAsync(client.Id, scope, cancellationToken).ConfigureAwait(false)
            : await ForClientAsync(server, issuer, client, scope, cancellationToken).ConfigureAwait(false);
        return Read(result, [scope], null);
    }

    private async Task<AuthenticationResult> ForClientAsync(McpServer server, EntraIssuer issuer, ClientIdentity client, string scope,
        CancellationToken cancellationToken)
    {
        if (!issuer.IsOneTenant)
        {
            throw new McpAuthException(ErrorReason.InvalidValue,
                $"Without a person, a client must sign in to one tenant of Microsoft Entra ID, and '{issuer.Tenant}' is not a tenant.",
                new UpdateServerStep(server, new StepOption(StepOptionKind.Issuer) { Template = $"https://{issuer.Host}/<tenant>/v2.0" }));
        }
        using var certificate = client.Key?.ToCertificate();
        if (client.Key is not null && certificate is null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "Microsoft Entra ID needs the certificate of the client's key, and the key has none.",
                "Use a PEM file that contains both.");
        }
        using var http = Http(server);
        var builder = ConfidentialClientApplicationBuilder.Create(client.Id).WithAuthority(issuer.Authority).WithInstanceDiscovery(false)
            .WithLegacyCacheCompatibility(false).WithHttpClientFactory(new MsalHttpClientFactory(http.Protocol));
        builder = certificate is not null ? builder.WithCertificate(certificate) : builder.WithClientSecret(client.Secret);
        return await MsalExceptionMapper.MapAsync(() => builder.Build().AcquireTokenForClient([scope]).WithForceRefresh(true).ExecuteAsync(cancellationToken),
            () => [client.Secret], cancellationToken).ConfigureAwait(false);
    }

    private async Task<AuthenticationResult> ForMachineAsync(string id, string scope, CancellationToken cancellationToken)
    {
        using var http = MsalHttpClientFactory.OfMachine(environment, transport);
        return await MsalExceptionMapper.MapAsync(() => ManagedIdentityApplicationBuilder
            .Create(id.Length == 0 ? ManagedIdentityId.SystemAssigned : ManagedIdentityId.WithUserAssignedClientId(id))
            .WithHttpClientFactory(new MsalHttpClientFactory(http)).Build()
            .AcquireTokenForManagedIdentity(scope).WithForceRefresh(true).ExecuteAsync(cancellationToken),
            () => [environment.Variable("IDENTITY_HEADER"), environment.Variable("MSI_SECRET")], cancellationToken).ConfigureAwait(false);
    }

    private RestrictedHttpClient Http(McpServer server) => new(server.PolicyIn(environment), progress, transport: transport?.Invoke());

    /// <summary>Creates the MSAL client without instance discovery: the host is already trusted, so MSAL need not look up its aliases.</summary>
    private static IPublicClientApplication App(EntraIssuer issuer, string clientId, RestrictedHttpClient http, MsalTokenCache cache,
        string? redirectUri = null)
    {
        var builder = PublicClientApplicationBuilder.Create(clientId).WithAuthority(issuer.Authority).WithInstanceDiscovery(false)
            .WithLegacyCacheCompatibility(false).WithHttpClientFactory(new MsalHttpClientFactory(http.Protocol));
        var app = (redirectUri is null ? builder : builder.WithRedirectUri(redirectUri)).Build();
        cache.Attach(app.UserTokenCache);
        return app;
    }

    private TokenSet Read(AuthenticationResult result, IEnumerable<string> scopes, MsalTokenCache? cache) =>
        // MSAL accepts a response without an access token.
        result.AccessToken is not { } token || !BearerToken.IsValid(token) ? throw TokenSet.Unusable("it has no access token that a header can contain")
        : !"Bearer".Equals(result.TokenType, StringComparison.OrdinalIgnoreCase)
            ? throw TokenSet.Unusable($"its token type is '{UntrustedText.Sanitize(result.TokenType)}', not Bearer")
        : new TokenSet(token, cache?.Serialize(), environment.Time.GetUtcNow(), result.ExpiresOn,
            [.. scopes.Where(Discovery.Scopes.IsValid)]);

    /// <summary>
    /// Returns the granted scopes: those of the API that the response names, and the requested identity scopes, which Entra always grants.
    /// </summary>
    private static IEnumerable<string> Given(AuthenticationResult result, IReadOnlyList<string> requested) =>
        (result.Scopes ?? []).Where(s => !EntraScopes.IsOfPerson(s)).Concat(requested.Where(EntraScopes.IsOfPerson)).Distinct();
}

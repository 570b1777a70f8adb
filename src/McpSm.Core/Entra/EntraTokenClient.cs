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
/// Every way to tokens of Microsoft Entra ID, through Microsoft's own library: it does PKCE and sends no <c>resource</c>,
/// which Entra rejects. It logs nothing, keeps nothing, and speaks over our HTTP. Nothing of it is loaded before a member
/// of this class runs.
/// </summary>
/// <param name="transport">Makes what carries the requests; sockets where null.</param>
/// <param name="progress">Is told of every exchange.</param>
public sealed class EntraTokenClient(AppEnvironment environment, Func<HttpMessageHandler>? transport = null, IProgress<string>? progress = null)
{
    /// <summary>A person signs in with a browser.</summary>
    /// <param name="ask">Sends a person to the URL, and gives the answer that carries the <c>state</c>.</param>
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

    /// <summary>A person signs in with another device (RFC 8628).</summary>
    /// <param name="exchange">Goes on during each question for the token, and when there is one.</param>
    /// <exception cref="McpAuthException">AuthorizationDenied, AuthenticationTimeout, …</exception>
    public async Task<TokenSet> WithDeviceCodeAsync(McpServer server, EntraIssuer issuer, string clientId, IReadOnlyList<string> scopes,
        Action<DeviceCode> show, TokenExchange exchange, CancellationToken cancellationToken)
    {
        var policy = server.PolicyIn(environment);
        using var http = new RestrictedHttpClient(policy, progress, transport: new ExchangingHandler(exchange, transport?.Invoke() ?? RestrictedHttpClient.NewSocketsHandler(policy)));
        var cache = new MsalTokenCache();
        var app = App(issuer, clientId, http, cache);
        string? deviceCode = null;
        var result = await MsalExceptionMapper.MapAsync(() => app.AcquireTokenWithDeviceCode(EntraScopes.ForPerson(server, scopes), code =>
        {
            deviceCode = code.DeviceCode;
            show(new DeviceCode(DeviceCodeGrant.UserCode(code.UserCode), server.PolicyIn(environment).Check(code.VerificationUrl, "The verification page"), null,
                code.ExpiresOn - DateTimeOffset.UtcNow));
            return Task.CompletedTask;
        }).ExecuteAsync(cancellationToken), () => [deviceCode], cancellationToken).ConfigureAwait(false);
        return Read(result, Given(result, scopes), cache);
    }

    /// <summary>Renews what a person signed in to.</summary>
    /// <param name="kept">The <see cref="TokenSet.RefreshToken"/> of before.</param>
    /// <exception cref="McpAuthException">RefreshTokenRejected; AuthenticationRequired: a person must be there, and what is kept stays good.</exception>
    public async Task<TokenSet> RenewAsync(McpServer server, EntraIssuer issuer, string clientId, IReadOnlyList<string> scopes,
        string kept, CancellationToken cancellationToken)
    {
        using var http = Http(server);
        var cache = new MsalTokenCache(kept);
        var app = App(issuer, clientId, http, cache);
        try
        {
            var result = await MsalExceptionMapper.MapAsync(async () =>
            {
                // There is one: each sign-in begins with an empty cache.
                var account = (await app.GetAccountsAsync().ConfigureAwait(false)).FirstOrDefault();
                return await app.AcquireTokenSilent(scopes.Where(s => !EntraScopes.IsOfPerson(s)), account).WithForceRefresh(true).ExecuteAsync(cancellationToken).ConfigureAwait(false);
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
    /// A client signs in by itself (RFC 6749 section 4.4): with its secret, with its certificate, or as the identity that Azure
    /// gives this machine or service.
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
                $"A client that signs in by itself does so in one tenant of Microsoft Entra ID, and '{issuer.Tenant}' is none.",
                new UpdateServerStep(server, new StepOption(StepOptionKind.Issuer) { Template = $"https://{issuer.Host}/<tenant>/v2.0" }));
        }
        using var certificate = client.Key?.ToCertificate();
        if (client.Key is not null && certificate is null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "Microsoft Entra ID knows a client's key by its certificate, and there is none with it.",
                "Give a PEM file that holds both.");
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

    /// <summary>
    /// Without instance discovery: the host is one of ours already, and which others are its aliases, the network is not asked.
    /// </summary>
    private static IPublicClientApplication App(EntraIssuer issuer, string clientId, RestrictedHttpClient http, MsalTokenCache cache, string? redirectUri = null)
    {
        var builder = PublicClientApplicationBuilder.Create(clientId).WithAuthority(issuer.Authority).WithInstanceDiscovery(false)
            .WithLegacyCacheCompatibility(false).WithHttpClientFactory(new MsalHttpClientFactory(http.Protocol));
        var app = (redirectUri is null ? builder : builder.WithRedirectUri(redirectUri)).Build();
        cache.Attach(app.UserTokenCache);
        return app;
    }

    private TokenSet Read(AuthenticationResult result, IEnumerable<string> scopes, MsalTokenCache? cache) =>
        // The library lets an answer without any pass.
        result.AccessToken is not { } token || !BearerToken.IsValid(token) ? throw TokenSet.Unusable("it has no access token that a header can carry")
        : !"Bearer".Equals(result.TokenType, StringComparison.OrdinalIgnoreCase)
            ? throw TokenSet.Unusable($"its token type is '{UntrustedText.Sanitize(result.TokenType)}', not Bearer")
        : new TokenSet(token, cache?.Keep(), environment.Time.GetUtcNow(), result.ExpiresOn,
            [.. scopes.Where(Discovery.Scopes.IsValid)]);

    /// <summary>What was given: of the API what the answer says, and who the person is where that was asked for, for it always is.</summary>
    private static IEnumerable<string> Given(AuthenticationResult result, IReadOnlyList<string> asked) =>
        (result.Scopes ?? []).Where(s => !EntraScopes.IsOfPerson(s)).Concat(asked.Where(EntraScopes.IsOfPerson)).Distinct();
}

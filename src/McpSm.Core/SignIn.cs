using McpSm.Core.Browsing;
using McpSm.Core.Clients;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Core;

/// <summary>One sign-in, from the server's challenge to a token set with all that binds it (design section 5).</summary>
internal sealed class SignIn(Home home, McpServer server, ServerItem? item, ConnectOptions options, SafeHttp http,
    UrlPolicy policy, ClientRegistry clients, IAuthInteraction interaction, IProgress<string>? progress)
{
    private const int DefaultPort = 8888;

    /// <summary>The resource and the issuer; null where the server asks for no credential.</summary>
    public async Task<(string Resource, IssuerMetadata Issuer, IReadOnlyList<string> Scopes)?> DiscoverAsync(CancellationToken cancellationToken)
    {
        progress?.Report($"Asking {server.Uri.GetLeftPart(UriPartial.Path)} without a credential.");
        var answer = await ServerQuestion.AskAsync(http, server.Uri, server.Transport == McpTransport.Sse,
            Authenticator.HeadersOf(server, item), null, cancellationToken).ConfigureAwait(false);
        ResourceMetadata? resource;
        if (!answer.AsksForCredential)
        {
            ServerQuestion.RequireMcp(answer, server.Uri);
            // Some servers challenge only later requests: what they publish tells.
            resource = await TryFindResourceAsync(cancellationToken).ConfigureAwait(false);
            if (resource is null || resource.AuthorizationServers.Count == 0)
            {
                return null;
            }
        }
        else
        {
            progress?.Report("The server asks for a credential; reading its resource metadata.");
            resource = await ResourceMetadata.FindAsync(http, server.Uri, answer.Challenge, cancellationToken).ConfigureAwait(false);
        }
        var issuer = await FindIssuerAsync(resource, cancellationToken).ConfigureAwait(false);
        progress?.Report($"The issuer is {ForeignText.Clean(issuer.Issuer)}.");
        if (!issuer.SupportsPkce && !issuer.IsLegacyDefault)
        {
            throw new McpAuthException(ErrorReason.PkceUnsupported,
                $"The issuer {ForeignText.Clean(issuer.Issuer)} does not advertise PKCE with S256, without which a code can be stolen.",
                "Ask whoever runs it to support PKCE (RFC 7636) and to say so in its metadata.");
        }
        return (resource?.Resource ?? ResourceUri.Canonical(server.Uri), issuer, ChooseScopes(answer.Challenge, resource, issuer));
    }

    public async Task<OAuthCredential> RunAsync(string resource, IssuerMetadata issuer, IReadOnlyList<string> scopes,
        CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Timeout);
        var launcher = new BrowserLauncher(home);
        var device = options.UseDeviceCode
            || (!options.NoBrowser && !launcher.HasDesktop && issuer.DeviceAuthorizationEndpoint is not null);
        for (var again = false; ; again = true)
        {
            try
            {
                var (client, tokens) = device
                    ? await WithDeviceCodeAsync(resource, issuer, scopes, again, limit.Token).ConfigureAwait(false)
                    : await WithBrowserAsync(resource, issuer, scopes, again, limit.Token).ConfigureAwait(false);
                return new OAuthCredential
                {
                    AccessToken = "",
                    Issuer = issuer.Issuer,
                    Resource = resource,
                    Client = client,
                    TokenEndpoint = issuer.TokenEndpoint,
                    RevocationEndpoint = issuer.RevocationEndpoint,
                    MetadataReadAt = home.Time.GetUtcNow(),
                }.With(tokens);
            }
            catch (McpAuthException e) when (!again && server.ClientId is null
                && e.OAuthError is "invalid_client" or "unauthorized_client" && issuer.RegistrationEndpoint is not null)
            {
                progress?.Report("The issuer has forgotten this client; registering anew.");
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new McpAuthException(ErrorReason.AuthenticationTimeout,
                    $"Nobody finished the sign-in within {options.Timeout.TotalSeconds:0} seconds.", $"mcpsm auth login {server.Id}");
            }
        }
    }

    private async Task<(ClientIdentity, TokenSet)> WithBrowserAsync(string resource, IssuerMetadata issuer,
        IReadOnlyList<string> scopes, bool anew, CancellationToken cancellationToken)
    {
        var (client, listener) = await IdentifyAsync(issuer, anew, cancellationToken).ConfigureAwait(false);
        using (listener)
        {
            var request = new AuthorizationRequest(issuer, client, listener.RedirectUri, resource, scopes, policy);
            listener.Start(request.State, server.Name);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var called = listener.WaitAsync(end.Token);
            // Whether a browser stays open takes a moment to see; an answer need not wait for that.
            var opening = options.NoBrowser ? Task.FromResult(false) : interaction.OpenBrowserAsync(request.Url, cancellationToken);
            await Task.WhenAny(opening, called).ConfigureAwait(false);
            var opened = !opening.IsCompleted || await opening.ConfigureAwait(false);
            interaction.ShowAuthorizationUrl(request.Url, opened);
            var answer = await WaitAsync(listener, called, opened, end, cancellationToken).ConfigureAwait(false);
            var signedIn = false;
            try
            {
                var code = request.Validate(answer.Values);
                progress?.Report("The issuer answered; exchanging the code.");
                var tokens = await request.ExchangeAsync(http, code, home.Time, cancellationToken).ConfigureAwait(false);
                signedIn = true;
                return (client, tokens);
            }
            finally
            {
                await answer.FinishAsync(signedIn).ConfigureAwait(false);
            }
        }
    }

    private async Task<CallbackAnswer> WaitAsync(CallbackListener listener, Task<CallbackAnswer> called, bool opened,
        CancellationTokenSource end, CancellationToken cancellationToken)
    {
        var pasted = opened ? null : PastedAsync(listener, end.Token);
        try
        {
            if (pasted is not null && await Task.WhenAny(called, pasted).ConfigureAwait(false) == pasted
                && await pasted.ConfigureAwait(false) is { } values)
            {
                return new CallbackAnswer(values);
            }
            return await called.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (listener.SawForeignState && cancellationToken.IsCancellationRequested)
        {
            throw new McpAuthException(ErrorReason.StateMismatch,
                "Answers arrived that do not belong to this sign-in (missing or foreign state), and none that does.",
                $"mcpsm auth login {server.Id}");
        }
        finally
        {
            await end.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task<IReadOnlyDictionary<string, string>?> PastedAsync(CallbackListener listener, CancellationToken cancellationToken)
    {
        try
        {
            while (await interaction.ReadRedirectAsync(cancellationToken).ConfigureAwait(false) is { } line)
            {
                if (line.Trim().Length == 0)
                {
                    continue;
                }
                if (listener.ReadPasted(line) is { } values)
                {
                    return values;
                }
                interaction.Notice("That is not the address this sign-in ends on; it starts with " + listener.RedirectUri);
            }
        }
        catch (OperationCanceledException)
        {
            // The callback came first, or the time ran out, which the other wait reports.
        }
        return null;
    }

    private async Task<(ClientIdentity, TokenSet)> WithDeviceCodeAsync(string resource, IssuerMetadata issuer,
        IReadOnlyList<string> scopes, bool anew, CancellationToken cancellationToken)
    {
        var client = ClientRegistry.Supplied(server, item, issuer, MetadataUrl());
        if (client is null)
        {
            using var held = await LockClientAsync(issuer, cancellationToken).ConfigureAwait(false);
            var kept = anew ? null : await clients.KeptAsync(server, issuer, options.Vault, cancellationToken).ConfigureAwait(false);
            var port = AskedPort() is { } asked and > 0 ? asked : DefaultPort;
            client = kept?.Client ?? await clients.RegisterAsync(server, http, issuer, port,
                $"http://127.0.0.1:{port}{CallbackListener.Path}", options.Vault, cancellationToken).ConfigureAwait(false);
        }
        var grant = new DeviceCodeGrant(http, policy, issuer, client, resource, scopes, home.Time);
        interaction.ShowDeviceCode(await grant.StartAsync(cancellationToken).ConfigureAwait(false));
        return (client, await grant.WaitAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>The client identity and a listener on a port that it may be redirected to (rule 26).</summary>
    private async Task<(ClientIdentity, CallbackListener)> IdentifyAsync(IssuerMetadata issuer, bool anew, CancellationToken cancellationToken)
    {
        if (ClientRegistry.Supplied(server, item, issuer, MetadataUrl()) is { } supplied)
        {
            return (supplied, CallbackListener.TryBind(AskedPort() ?? DefaultPort) ?? throw PortInUse(AskedPort() ?? DefaultPort));
        }
        using var held = await LockClientAsync(issuer, cancellationToken).ConfigureAwait(false);
        var kept = anew ? null : await clients.KeptAsync(server, issuer, options.Vault, cancellationToken).ConfigureAwait(false);
        var asked = AskedPort();
        if (kept is not null)
        {
            // A port that was asked for by number wins over the kept ones: a tunnel may end there.
            foreach (var port in asked is > 0 ? kept.Ports.Where(p => p == asked) : kept.Ports)
            {
                if (CallbackListener.TryBind(port) is { } known)
                {
                    return (kept.Client, known);
                }
            }
        }
        var wanted = asked ?? DefaultPort;
        var listener = CallbackListener.TryBind(wanted);
        if (listener is null)
        {
            if (issuer.RegistrationEndpoint is null)
            {
                throw PortInUse(wanted);
            }
            listener = CallbackListener.TryBind(0) ?? throw PortInUse(wanted);
            interaction.Notice($"Port {wanted} is in use; the browser comes back to port {listener.Port} instead.");
        }
        try
        {
            progress?.Report($"Registering with the issuer for {listener.RedirectUri}.");
            return (await clients.RegisterAsync(server, http, issuer, listener.Port, listener.RedirectUri, options.Vault,
                cancellationToken).ConfigureAwait(false), listener);
        }
        catch
        {
            listener.Dispose();
            throw;
        }
    }

    private Task<FileLock> LockClientAsync(IssuerMetadata issuer, CancellationToken cancellationToken) =>
        home.LockAsync(CredentialStore.ClientItemName(issuer.Issuer), cancellationToken);

    private McpAuthException PortInUse(int port) => new(ErrorReason.CallbackPortInUse,
        $"Port {port} of 127.0.0.1, where the browser is to come back to, is in use.",
        $"mcpsm auth login {server.Id} --callback-port <port>");

    private int? AskedPort()
    {
        if (options.CallbackPort is { } asked)
        {
            return asked;
        }
        if (home.Variable("MCPSM_CALLBACK_PORT") is { } variable)
        {
            return int.TryParse(variable, out var port) && port is >= 0 and <= 65535 ? port
                : throw new McpAuthException(ErrorReason.InvalidValue, "MCPSM_CALLBACK_PORT is not a port: 0 to 65535.");
        }
        return new Settings(home).CallbackPort;
    }

    private string? MetadataUrl() =>
        (server.ClientMetadataUrl ?? new Settings(home).ClientMetadataUrl) is { } url ? ClientRegistry.CheckMetadataUrl(url) : null;

    private async Task<ResourceMetadata?> TryFindResourceAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ResourceMetadata.FindAsync(http, server.Uri, null, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason is ErrorReason.MetadataInvalid)
        {
            // An open server need not know these paths, and may answer anything there.
            return null;
        }
    }

    private async Task<IssuerMetadata> FindIssuerAsync(ResourceMetadata? resource, CancellationToken cancellationToken)
    {
        if (server.Issuer is { } pinned)
        {
            return await IssuerMetadata.FindAsync(http, policy, pinned, cancellationToken).ConfigureAwait(false);
        }
        if (resource is null)
        {
            return await IssuerMetadata.FindAtRootAsync(http, policy, server.Uri, cancellationToken).ConfigureAwait(false)
                ?? (server.AllowLegacyEndpoints ? IssuerMetadata.LegacyDefault(server.Uri)
                    : throw new McpAuthException(ErrorReason.MetadataInvalid,
                        "The server asks for a credential and publishes nothing about where to get one.",
                        $"Keep a token of its own with 'mcpsm auth set {server.Id}', or, for a server of 2025-03-26 that you trust: "
                        + $"mcpsm server update {server.Id} --allow-legacy-endpoints"));
        }
        McpAuthException? failure = null;
        foreach (var issuer in resource.AuthorizationServers)
        {
            try
            {
                return await IssuerMetadata.FindAsync(http, policy, issuer, cancellationToken).ConfigureAwait(false);
            }
            catch (McpAuthException e)
            {
                failure ??= e;
            }
        }
        throw failure ?? new McpAuthException(ErrorReason.MetadataInvalid, "The server's resource metadata names no issuer.",
            $"mcpsm server update {server.Id} --issuer <url>");
    }

    /// <summary>Rules 8 to 10: the user's, the challenge's, the resource's; offline_access only where it is listed.</summary>
    private IReadOnlyList<string> ChooseScopes(Challenge? challenge, ResourceMetadata? resource, IssuerMetadata issuer)
    {
        if (server.Scopes.Count > 0)
        {
            return server.Scopes;
        }
        var scopes = challenge?.Scopes ?? resource?.ScopesSupported ?? [];
        return scopes.Count > 0 && issuer.ScopesSupported?.Contains("offline_access") == true
            ? [.. scopes.Union(["offline_access"])]
            : [.. scopes.Where(s => s != "offline_access" || issuer.ScopesSupported is null)];
    }
}

using McpSm.Core.Browsing;
using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Entra;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Interruption;
using McpSm.Core.Registration;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>Signs in a person, in a browser or with a device code (docs/architecture.md, steps 6 to 9).</summary>
internal sealed partial class InteractiveSignIn(AppEnvironment environment, McpServer server, ServerSecrets? item, SignInTarget target, SignInOptions options,
    RestrictedHttpClient http, UrlPolicy policy, ClientRegistrar clients, EntraTokenClient entra, IAuthInteraction interaction, IProgress<string>? progress)
{
    private const int DefaultPort = 8888;

    // Within which an issuer that lets the person straight through, and an issuer that must ask, have shown their page.
    private static readonly TimeSpan MetadataTimeout = TimeSpan.FromSeconds(5);

    private readonly AuthorizationServerMetadata _issuer = target.Issuer;
    private bool _sawForeignState;

    // Whether a browser has opened the one-time address, and was sent on to the issuer.
    private bool _started;

    /// <summary>The command that begins another sign-in, with these options.</summary>
    public Func<StepOption, NextStep> Command { get; init; } = option => new SignInStep(server) { Options = [option] };

    /// <summary>Begins when a code is spent, and goes on until the caller has stored what it gave.</summary>
    public required TokenExchange Exchange { get; init; }

    // What the issuer gave us in an earlier sign-in, and may have forgotten since.
    private ClientRegistration? _kept;

    // That, or what it gave us just now; null where no client registers itself.
    private ClientRegistration? _registration;

    // The host of the redirect URI, if the issuer takes another than 127.0.0.1.
    private string? _redirectHost;

    // What to register for, where the issuer was seen to hold a client to the scopes of its registration; null to name none.
    private IReadOnlyList<string>? _scopes;

    private DynamicRegistration? _dynamic;

    /// <summary>The token set, with all that binds it.</summary>
    /// <exception cref="McpAuthException">AuthenticationTimeout, AuthorizationDenied, CallbackPortInUse, …</exception>
    public async Task<OAuthCredential> RunAsync(CancellationToken cancellationToken)
    {
        var (client, tokens) = await ObtainAsync(cancellationToken).ConfigureAwait(false);
        return target.Credential(client, tokens, environment.Time.GetUtcNow());
    }

    /// <summary>What the issuer gives, and to which client.</summary>
    /// <exception cref="McpAuthException">As <see cref="RunAsync"/>.</exception>
    public async Task<(ClientIdentity Client, TokenSet Tokens)> ObtainAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(options.Timeout);
        var launcher = new BrowserLauncher(environment);
        var device = options.UseDeviceCode
            || (!options.NoBrowser && !launcher.HasDesktop && _issuer.DeviceAuthorizationEndpoint is not null);
        if (!device && _issuer.AuthorizationEndpoint is null)
        {
            throw new McpAuthException(ErrorReason.MetadataInvalid, $"The issuer {UntrustedText.Sanitize(_issuer.Issuer)} offers no sign-in with a browser.",
                _issuer.DeviceAuthorizationEndpoint is not null ? Command(StepOptionKind.DeviceCode) : "Ask whoever runs it how people sign in there.");
        }
        if (device && !options.UseDeviceCode)
        {
            interaction.Notice("No browser can open here, because there is no desktop. You sign in with a code, in a browser of any machine.");
        }
        var added = AddedToUrl(device);
        McpAuthException? scopeRefused = null;
        for (var anew = false; ; anew = true)
        {
            try
            {
                var result = EntraIssuer.Find(_issuer.Issuer) is { } microsoft
                    ? await WithEntraAsync(microsoft, device, added, limit).ConfigureAwait(false)
                    : device
                    ? await WithDeviceCodeAsync(anew, limit).ConfigureAwait(false)
                    : await WithBrowserAsync(anew, added, limit.Token).ConfigureAwait(false);
                await SettleRegistrationAsync().ConfigureAwait(false);
                return result;
            }
            catch (McpAuthException e) when (!anew && _kept is not null
                && e.OAuthError is "invalid_client" or "unauthorized_client" && _issuer.RegistrationEndpoint is not null)
            {
                // The page that the person may see says so too, in words of the issuer's.
                await DoubtAsync(_kept).ConfigureAwait(false);
                _isForgotten = true;
                interaction.Notice($"{UntrustedText.Sanitize(_issuer.Issuer)} no longer knows this client; it is registered anew, and the sign-in begins again.");
                _scopes = _kept.Scopes is { } before ? [.. before.Union(target.Scopes)] : null;
            }
            catch (McpAuthException e) when (!anew && e.OAuthError == "invalid_scope"
                && _registration is { } used && target.Scopes.Except(used.Scopes ?? []).Any())
            {
                // RFC 7591 section 2: a client that named no scopes gets what the issuer thinks fit, and some give it none. To
                // name them at once would cost a client of Keycloak all that it has by default.
                interaction.Notice($"{UntrustedText.Sanitize(_issuer.Issuer)} gives this client no other scopes than it registered for; "
                    + "it is registered anew, and the sign-in begins again.");
                _scopes = [.. (used.Scopes ?? []).Union(target.Scopes)];
                scopeRefused = e;
            }
            catch (McpAuthException e) when (scopeRefused is not null && e.Reason == ErrorReason.ClientRegistrationFailed)
            {
                throw scopeRefused;
            }
            catch (McpAuthException e) when (_kept is not null && SuggestsForgottenClient(e))
            {
                await DoubtAsync(_kept).ConfigureAwait(false);
                interaction.Notice($"{UntrustedText.Sanitize(_issuer.Issuer)} may have forgotten this client: the next sign-in registers another one.");
                throw;
            }
            catch (McpAuthException e) when (device && _kept is not null && e.Reason == ErrorReason.AuthenticationTimeout)
            {
                throw await ExplainSilenceAsync(e.Message).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && _kept is not null && !_sawForeignState)
            {
                throw await ExplainSilenceAsync($"Nobody finished the sign-in within {options.Timeout.TotalSeconds:0} seconds.").ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw _sawForeignState
                    ? new McpAuthException(ErrorReason.StateMismatch,
                        "Answers arrived that do not belong to this sign-in (missing or foreign state), and none that does.",
                        "Close the pages of other sign-ins in your browser, then sign in once more. If it happens again, tell whoever runs the issuer.")
                    : new McpAuthException(ErrorReason.AuthenticationTimeout,
                        $"Nobody finished the sign-in within {options.Timeout.TotalSeconds:0} seconds.", Command(StepOptionKind.Timeout));
            }
        }
    }

    private async Task<(ClientIdentity, TokenSet)> WithBrowserAsync(bool anew, IReadOnlyDictionary<string, string> added,
        CancellationToken cancellationToken)
    {
        var (client, listener) = await IdentifyAsync(anew, cancellationToken).ConfigureAwait(false);
        using (listener)
        {
            progress?.Report($"The client is {DescribeClient(client.Kind)}; the answer is waited for on {listener.RedirectUri}.");
            var request = new AuthorizationCodeRequest(_issuer, client, listener.RedirectUri, target.ResourceParameter, target.Scopes, target.DPoP.Bind(), policy,
                added);
            var answer = await RequestCodeAsync(listener, request.Url, request.State, cancellationToken).ConfigureAwait(false);
            var signedIn = false;
            try
            {
                var code = request.Validate(answer.Values);
                progress?.Report("The issuer answered; exchanging the code.");
                WarnOfOtherSite();
                // The person has done their part in time: what is left has the time of one request.
                var tokens = await SpendAsync(token => request.ExchangeAsync(http, code, environment.Time, token)).ConfigureAwait(false);
                if (listener.Contested.IsCompleted)
                {
                    await RevokeAsync(client, tokens).ConfigureAwait(false);
                }
                RequireUncontested(listener);
                signedIn = true;
                return (await KeepMethodAsync(client, tokens).ConfigureAwait(false), tokens);
            }
            finally
            {
                await answer.FinishAsync(signedIn).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Tells of an issuer whose answers do not say who sent them (RFC 9207) and whose token endpoint is on another site: an answer of
    /// the one could be meant for the other (mix-up, RFC 9700 section 4.4).
    /// </summary>
    private void WarnOfOtherSite()
    {
        if (!_issuer.AuthorizationResponseIssSupported && UrlPolicy.TryParse(_issuer.AuthorizationEndpoint, out var authorize)
            && UrlPolicy.TryParse(_issuer.TokenEndpoint, out var token) && !SameSite.IsSame(authorize, token))
        {
            interaction.Warn($"{UntrustedText.Sanitize(_issuer.Issuer)} signs you in on {authorize.IdnHost} and gives its tokens on {token.IdnHost}, "
                + "which is another site. Its answers do not say who sent them.");
        }
    }

    private async Task<TokenSet> SpendAsync(Func<CancellationToken, Task<TokenSet>> request)
    {
        Exchange.Begin();
        try
        {
            return await request(Exchange.Token).ConfigureAwait(false);
        }
        catch (McpAuthException)
        {
            // There is nothing to store, and the sign-in may go on.
            Exchange.Complete();
            throw;
        }
    }

    /// <summary>Through Microsoft's library, with a client that the user registered: Entra ID registers none by itself.</summary>
    private async Task<(ClientIdentity, TokenSet)> WithEntraAsync(EntraIssuer microsoft, bool device, IReadOnlyDictionary<string, string> added,
        CancellationTokenSource limit)
    {
        // Here a person signs in with a public client, which must show no secret.
        var client = ClientRegistrar.CreateSupplied(server, item, _issuer, null) is { } supplied
            ? new ClientIdentity(supplied.Kind, supplied.Id, null, ClientIdentity.None) : throw ClientRegistrar.NoEntraClient(server, microsoft);
        if (device)
        {
            // The library polls by itself, and a poll that was approved must not be cut off.
            using var polling = CancellationTokenSource.CreateLinkedTokenSource(Exchange.Token);
            polling.CancelAfter(options.Timeout);
            return (client, await entra.WithDeviceCodeAsync(server, microsoft, client.Id, target.Scopes,
                code => interaction.ShowDeviceCode(WaitWithinAsync(polling, code)), Exchange, polling.Token).ConfigureAwait(false));
        }
        var wanted = AskedPort() ?? DefaultPort;
        using var listener = CallbackListener.TryBindLocalhost(wanted, "")
            ?? (AskedPort() is null ? CallbackListener.TryBindLocalhost(0, "") : null) ?? throw PortInUse(wanted, "localhost");
        var tokens = await entra.WithBrowserAsync(server, microsoft, client.Id, target.Scopes, listener.RedirectUri,
            (url, state, _) => AskForEntraAsync(listener, added.Count == 0 ? url : EndpointUrl.Add(url, added), state, limit.Token), Exchange.Token)
            .ConfigureAwait(false);
        RequireUncontested(listener);
        return (client, tokens);
    }

    /// <summary>As <see cref="RequestCodeAsync"/>; Microsoft's library spends the code as soon as it has the answer.</summary>
    private async Task<CallbackResponse> AskForEntraAsync(CallbackListener listener, Uri url, string state, CancellationToken cancellationToken)
    {
        var answer = await RequestCodeAsync(listener, url, state, cancellationToken).ConfigureAwait(false);
        Exchange.Begin();
        return answer;
    }

    /// <summary>Sends a person to the URL, and waits for the answer that carries the state.</summary>
    private async Task<CallbackResponse> RequestCodeAsync(CallbackListener listener, Uri url, string state, CancellationToken cancellationToken)
    {
        listener.Start(state, server.Name, options.NoBrowser ? null : url);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var called = listener.WaitAsync(end.Token);
        // Whether a browser stays open takes a moment to see; an answer need not wait for that.
        var opening = listener.StartUri is not { } start ? Task.FromResult(false)
            : interaction.OpenBrowserAsync(start, listener.Started, cancellationToken);
        await Task.WhenAny(opening, called, listener.Started).ConfigureAwait(false);
        var opened = !opening.IsCompleted || await opening.ConfigureAwait(false) || listener.Started.IsCompleted;
        interaction.ShowAuthorizationUrl(url, opened);
        return await WaitAsync(listener, called, opened, end, cancellationToken).ConfigureAwait(false);
    }

    private async Task<CallbackResponse> WaitAsync(CallbackListener listener, Task<CallbackResponse> called, bool opened,
        CancellationTokenSource end, CancellationToken cancellationToken)
    {
        var pasted = opened ? null : ReadPastedAsync(listener, end.Token);
        var forgotten = IsForgottenAsync(end.Token);
        try
        {
            for (List<Task> waits = [called, listener.Contested, forgotten, .. pasted is null ? (Task[])[] : [pasted]]; ;)
            {
                var first = await Task.WhenAny(waits).ConfigureAwait(false);
                RequireUncontested(listener);
                if (first == called)
                {
                    return await called.ConfigureAwait(false);
                }
                if (first == pasted && await pasted.ConfigureAwait(false) is { } values)
                {
                    return new CallbackResponse(values);
                }
                if (first == forgotten && await forgotten.ConfigureAwait(false))
                {
                    throw new McpAuthException(ErrorReason.ClientRejected, "The issuer no longer knows this client.") { OAuthError = "invalid_client" };
                }
                waits.Remove(first);
            }
        }
        finally
        {
            _sawForeignState |= listener.SawForeignState;
            _started |= listener.Started.IsCompleted;
            await end.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Ends a sign-in whose one-time address two browsers have opened: the answer may be of another person.</summary>
    /// <exception cref="McpAuthException">StateMismatch.</exception>
    private void RequireUncontested(CallbackListener listener)
    {
        if (listener.Contested.IsCompleted)
        {
            throw new McpAuthException(ErrorReason.StateMismatch,
                "The address that your browser was started with was opened by two browsers. Another user or program of this machine may have been "
                + "first, to sign you in with an account of theirs. The sign-in was ended, and nothing of it was kept.",
                Command(StepOptionKind.NoBrowser));
        }
    }

    /// <summary>Tells the issuer that tokens are dead that are not kept. It is only a courtesy: nobody has them.</summary>
    private async Task RevokeAsync(ClientIdentity client, TokenSet tokens)
    {
        if (_issuer.RevocationEndpoint is not { } endpoint)
        {
            return;
        }
        try
        {
            await RevocationRequest.RevokeAsync(http, endpoint, _issuer.Issuer, client, tokens.RefreshToken, tokens.AccessToken, environment.Time, CancellationToken.None)
                .ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            // What ends the sign-in matters more.
            progress?.Report($"The tokens were not revoked. {e.Message}");
        }
    }

    /// <summary>
    /// Whether an answer stays away because the issuer has forgotten the client: its authorization endpoint shows that to
    /// the person alone (RFC 6749 section 4.1.2.1), and the sign-in could only time out.
    /// </summary>
    private async Task<bool> IsForgottenAsync(CancellationToken cancellationToken)
    {
        if (_kept is null || _issuer.RegistrationEndpoint is null)
        {
            return false;
        }
        try
        {
            await Task.Delay(MetadataTimeout, cancellationToken).ConfigureAwait(false);
            return await clients.IsForgottenAsync(http, _issuer, _kept, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The sign-in has ended.
            return false;
        }
    }

    private async Task<IReadOnlyDictionary<string, string>?> ReadPastedAsync(CallbackListener listener, CancellationToken cancellationToken)
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

    private async Task<(ClientIdentity, TokenSet)> WithDeviceCodeAsync(bool anew, CancellationTokenSource limit)
    {
        var cancellationToken = limit.Token;
        var client = ClientRegistrar.CreateSupplied(server, item, _issuer, MetadataUrl());
        if (client is null)
        {
            using var held = await LockClientAsync(cancellationToken).ConfigureAwait(false);
            var kept = await clients.FindStoredAsync(server, _issuer, options.Vault, cancellationToken).ConfigureAwait(false);
            var port = AskedPort() is { } asked and > 0 ? asked : DefaultPort;
            // Nothing listens there now, a later sign-in may.
            var redirect = new RegisteredRedirectUri(RegisteredRedirectUri.Uri(_redirectHost, port), () => RegisteredRedirectUri.Uri(RegisteredRedirectUri.Localhost, port));
            _kept = null;
            try
            {
                _registration = Usable(kept, anew).FirstOrDefault() is { } known ? Use(known, kept)
                    : await RegisterAsync(kept, redirect, anew, cancellationToken).ConfigureAwait(false);
            }
            catch (McpAuthException e) when (!anew && MayUseDoubted(kept, e))
            {
                UseDoubted(kept, e);
            }
            client = _registration!.Client;
        }
        var grant = new DeviceCodeGrant(http, policy, _issuer, client, target.ResourceParameter, target.Scopes, target.DPoP.Bind(), environment.Time);
        interaction.ShowDeviceCode(WaitWithinAsync(limit, await grant.StartAsync(cancellationToken).ConfigureAwait(false)));
        var tokens = await grant.WaitAsync(Exchange, cancellationToken).ConfigureAwait(false);
        return (await KeepMethodAsync(client, tokens).ConfigureAwait(false), tokens);
    }

    /// <summary>Keeps the method by which the client's secret was accepted with its registration, so that later sign-ins begin with it.</summary>
    private async Task<ClientIdentity> KeepMethodAsync(ClientIdentity client, TokenSet tokens)
    {
        var proven = tokens.Client ?? client;
        if (_registration is not null && proven != client)
        {
            _registration = _registration with { Client = proven };
            try
            {
                // Ctrl+C must not lose what the issuer has given.
                await clients.KeepMethodAsync(server, proven, _issuer, options.Vault, CancellationToken.None).ConfigureAwait(false);
            }
            catch (McpAuthException e)
            {
                // The next sign-in finds the method again; the tokens would be lost.
                progress?.Report($"The method of the client's secret is not kept with its registration. {e.Message}");
            }
        }
        return proven;
    }

    /// <summary>The code with the time that there is for it.</summary>
    private DeviceCode WaitWithinAsync(CancellationTokenSource limit, DeviceCode code)
    {
        code = code with { Issuer = _issuer.Issuer, Server = target.IsIdentityProvider ? null : server.Name };
        if (options.Timeout != SignInOptions.DefaultTimeout)
        {
            return options.Timeout < code.Lifetime ? code with { Lifetime = options.Timeout } : code;
        }
        // Nobody asked for less: the code's own end is the one that the person is told of.
        limit.CancelAfter(code.Lifetime);
        return code;
    }
}

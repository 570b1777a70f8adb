using McpSm.Core.Browsing;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Entra;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Interaction;
using McpSm.Core.Interruption;
using McpSm.Core.Registration;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>Signs in a person, in a browser or with a device code (steps 6 to 9 of the walk-through in docs/architecture.md).</summary>
internal sealed class InteractiveSignIn(AuthContext context, McpServer server, ServerSecrets? item, SignInTarget target, SignInOptions options)
{
    private ClientIdentityResolver? _resolver;

    public required RestrictedHttpClient Http { get; init; }
    public required UrlPolicy Policy { private get; init; }
    public required ClientRegistrar Clients { get; init; }
    public required EntraTokenClient Entra { private get; init; }

    private ClientIdentityResolver Client => _resolver ??= new(context, server, item, target, options) { Http = Http, Clients = Clients, Command = Command };

    /// <summary>The command that begins another sign-in, with these options.</summary>
    public Func<StepOption, NextStep> Command { get; init; } = option => new SignInStep(server) { Options = [option] };

    private readonly AuthorizationServerMetadata _issuer = target.Issuer;
    private bool _sawForeignState;

    // Whether a browser has opened the one-time address and was redirected to the issuer.
    private bool _started;

    /// <summary>Tracks the code exchange: it begins when the code is sent, and ends when the caller has stored the tokens.</summary>
    public required TokenExchange Exchange { get; init; }

    /// <summary>Signs in, and returns a credential for the server.</summary>
    /// <exception cref="McpAuthException">AuthenticationTimeout, AuthorizationDenied, CallbackPortInUse, …</exception>
    public async Task<OAuthCredential> RunAsync(CancellationToken cancellationToken)
    {
        var (client, tokens) = await ObtainAsync(cancellationToken).ConfigureAwait(false);
        return target.Credential(client, tokens, context.Environment.Time.GetUtcNow());
    }

    /// <summary>Signs in, and returns the tokens and the client that they were issued to.</summary>
    /// <exception cref="McpAuthException">As <see cref="RunAsync"/>.</exception>
    public async Task<(ClientIdentity Client, TokenSet Tokens)> ObtainAsync(CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(context.Environment.Time, options.Timeout, cancellationToken);
        var launcher = new BrowserLauncher(context.Environment);
        var device = options.UseDeviceCode
            || (!options.NoBrowser && !launcher.HasDesktop && _issuer.DeviceAuthorizationEndpoint is not null);
        if (!device && _issuer.AuthorizationEndpoint is null)
        {
            throw new McpAuthException(ErrorReason.MetadataInvalid, $"The issuer {UntrustedText.Sanitize(_issuer.Issuer)} offers no sign-in with a browser.",
                _issuer.DeviceAuthorizationEndpoint is not null
                    ? Command(StepOptionKind.DeviceCode)
                    : "Ask the operator of the issuer how people sign in there.");
        }
        if (device && !options.UseDeviceCode)
        {
            context.Interaction.Notice("This session has no desktop to open a browser on. Sign in with a code instead, in a browser of any machine.");
        }
        var added = AddedToUrl(device);
        McpAuthException? scopeRefused = null;
        for (var again = false; ; again = true)
        {
            try
            {
                var result = EntraIssuer.Find(_issuer.Issuer) is { } microsoft
                    ? await WithEntraAsync(microsoft, device, added, limit).ConfigureAwait(false)
                    : device
                    ? await WithDeviceCodeAsync(again, limit).ConfigureAwait(false)
                    : await WithBrowserAsync(again, added, limit.Token).ConfigureAwait(false);
                await Client.SettleRegistrationAsync().ConfigureAwait(false);
                return result;
            }
            catch (McpAuthException e) when (!again && Client.Stored is not null
                && e.OAuthError is "invalid_client" or "unauthorized_client" && _issuer.RegistrationEndpoint is not null)
            {
                await Client.DoubtAsync(Client.Stored).ConfigureAwait(false);
                Client.IsForgotten = true;
                context.Interaction.Notice($"{UntrustedText.Sanitize(_issuer.Issuer)} no longer knows this client. "
                    + "Mcpsm registers a new client and starts the sign-in again.");
                Client.Scopes = Client.Stored.Scopes is { } before ? [.. before.Union(target.Scopes)] : null;
            }
            catch (McpAuthException e) when (!again && e.OAuthError == "invalid_scope"
                && Client.Registration is { } used && target.Scopes.Except(used.Scopes ?? []).Any())
            {
                // RFC 7591 section 2: the issuer chooses the scopes of a client that registers without scopes, and some allow none. Not
                // in the first registration: a client of Keycloak would lose its default scopes.
                context.Interaction.Notice($"{UntrustedText.Sanitize(_issuer.Issuer)} restricts this client to the scopes of its registration. "
                    + "Mcpsm registers a new client and starts the sign-in again.");
                Client.Scopes = [.. (used.Scopes ?? []).Union(target.Scopes)];
                scopeRefused = e;
            }
            catch (McpAuthException e) when (scopeRefused is not null && e.Reason == ErrorReason.ClientRegistrationFailed)
            {
                throw scopeRefused;
            }
            catch (McpAuthException e) when (Client.Stored is not null && Client.SuggestsForgottenClient(e))
            {
                await Client.DoubtAsync(Client.Stored).ConfigureAwait(false);
                context.Interaction.Notice($"{UntrustedText.Sanitize(_issuer.Issuer)} may have forgotten this client. The next sign-in registers a new one.");
                throw;
            }
            catch (McpAuthException e) when (device && Client.Stored is not null && e.Reason == ErrorReason.AuthenticationTimeout)
            {
                throw await ExplainSilenceAsync(e.Message).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested && Client.Stored is not null && !_sawForeignState)
            {
                throw await ExplainSilenceAsync($"The sign-in was not finished within {options.Timeout.TotalSeconds:0} seconds.").ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw _sawForeignState
                    ? new McpAuthException(ErrorReason.StateMismatch,
                        "Received only responses of another sign-in (the state is missing or wrong).",
                        "Close the pages of other sign-ins in your browser, then sign in again. If it happens again, tell the operator of the issuer.")
                    : new McpAuthException(ErrorReason.AuthenticationTimeout,
                        $"The sign-in was not finished within {options.Timeout.TotalSeconds:0} seconds.", Command(StepOptionKind.Timeout));
            }
        }
    }

    private async Task<(ClientIdentity, TokenSet)> WithBrowserAsync(bool again, IReadOnlyDictionary<string, string> added,
        CancellationToken cancellationToken)
    {
        var (client, listener) = await Client.IdentifyAsync(again, cancellationToken).ConfigureAwait(false);
        using (listener)
        {
            context.Progress?.Report($"The client is {Client.DescribeClient(client.Kind)}; waiting for the response on {listener.RedirectUri}.");
            var request = new AuthorizationCodeRequest(_issuer, client, listener.RedirectUri, target.ResourceParameter,
                target.Scopes, target.DPoP.Bind(), Policy, added, target.IsIdentityProvider);
            var answer = await RequestCodeAsync(listener, request.Url, request.State, cancellationToken).ConfigureAwait(false);
            var signedIn = false;
            try
            {
                var code = request.Validate(answer.Values);
                context.Progress?.Report("The issuer responded; exchanging the code.");
                WarnOfOtherSite();
                // The person finished in time. The exchange has the time limit of one request.
                var tokens = await SpendAsync(token => request.ExchangeAsync(Http, code, context.Environment.Time, token)).ConfigureAwait(false);
                if (listener.Contested.IsCompleted)
                {
                    await RevokeAsync(client, tokens).ConfigureAwait(false);
                }
                RequireUncontested(listener);
                signedIn = true;
                return (await Client.KeepMethodAsync(client, tokens).ConfigureAwait(false), tokens);
            }
            finally
            {
                await answer.FinishAsync(signedIn).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Warns if the issuer's responses do not name it (RFC 9207) and its token endpoint is on another site: the response could come from
    /// another issuer (mix-up, RFC 9700 section 4.4).
    /// </summary>
    private void WarnOfOtherSite()
    {
        if (!_issuer.AuthorizationResponseIssSupported && UrlPolicy.TryParse(_issuer.AuthorizationEndpoint, out var authorize)
            && UrlPolicy.TryParse(_issuer.TokenEndpoint, out var token) && !SameSite.IsSame(authorize, token))
        {
            context.Interaction.Warn($"{UntrustedText.Sanitize(_issuer.Issuer)} signs you in on {authorize.IdnHost} and issues its tokens on {token.IdnHost}, "
                + "which is another site. Its responses do not name the issuer that sent them.");
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
            // No tokens to store, and the sign-in may continue.
            Exchange.Complete();
            throw;
        }
    }

    /// <summary>Signs in through MSAL with a client that the user registered: Entra ID does not support dynamic registration.</summary>
    private async Task<(ClientIdentity, TokenSet)> WithEntraAsync(EntraIssuer microsoft, bool device, IReadOnlyDictionary<string, string> added,
        TimeLimit limit)
    {
        // A person signs in with a public client, which must not send a secret.
        var client = ClientRegistrar.CreateSupplied(server, item, _issuer, null) is { } supplied
            ? new ClientIdentity(supplied.Kind, supplied.Id, null, ClientIdentity.None) : throw ClientRegistrar.NoEntraClient(server, microsoft);
        if (device)
        {
            // MSAL polls, and a poll that was approved must not be interrupted.
            using var polling = new TimeLimit(context.Environment.Time, options.Timeout, Exchange.Token);
            return (client, await Entra.WithDeviceCodeAsync(server, microsoft, client.Id, target.Scopes,
                code => context.Interaction.ShowDeviceCode(WaitWithinAsync(polling, code)), Exchange, polling.Token).ConfigureAwait(false));
        }
        var wanted = Client.AskedPort() ?? ClientIdentityResolver.DefaultPort;
        var time = context.Environment.Network.Time;
        using var listener = CallbackListener.TryBindLocalhost(wanted, "", time)
            ?? (Client.AskedPort() is null ? CallbackListener.TryBindLocalhost(0, "", time) : null)
            ?? throw Client.PortInUse(wanted, "localhost");
        var tokens = await Entra.WithBrowserAsync(server, microsoft, client.Id, target.Scopes, listener.RedirectUri,
            (url, state, _) => AskForEntraAsync(listener, added.Count == 0 ? url : EndpointUrl.Add(url, added), state, limit.Token), Exchange.Token)
            .ConfigureAwait(false);
        RequireUncontested(listener);
        return (client, tokens);
    }

    /// <summary>As <see cref="RequestCodeAsync"/>. MSAL exchanges the code as soon as it has the response.</summary>
    private async Task<CallbackResponse> AskForEntraAsync(CallbackListener listener, Uri url, string state, CancellationToken cancellationToken)
    {
        var answer = await RequestCodeAsync(listener, url, state, cancellationToken).ConfigureAwait(false);
        Exchange.Begin();
        return answer;
    }

    /// <summary>Opens the URL in a browser, and waits for the response with the state.</summary>
    private async Task<CallbackResponse> RequestCodeAsync(CallbackListener listener, Uri url, string state, CancellationToken cancellationToken)
    {
        listener.Start(state, server.Name, options.NoBrowser ? null : url);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var called = listener.WaitAsync(end.Token);
        // It takes a moment to see whether a browser stays open; a response must not wait for that.
        var opening = listener.StartUri is not { } start ? Task.FromResult(false)
            : context.Interaction.OpenBrowserAsync(start, listener.Started, cancellationToken);
        await Task.WhenAny(opening, called, listener.Started).ConfigureAwait(false);
        var opened = !opening.IsCompleted || await opening.ConfigureAwait(false) || listener.Started.IsCompleted;
        context.Interaction.ShowAuthorizationUrl(url, opened);
        return await WaitAsync(listener, called, opened, end).ConfigureAwait(false);
    }

    private async Task<CallbackResponse> WaitAsync(CallbackListener listener, Task<CallbackResponse> called, bool opened,
        CancellationTokenSource end)
    {
        var pasted = opened ? null : ReadPastedAsync(listener, end.Token);
        var forgotten = Client.AskWhetherForgottenAsync(end.Token);
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
                    return new CallbackResponse(values, context.Environment.Network.Time);
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

    /// <summary>Ends a sign-in if two browsers have opened its one-time address: the response may come from another person.</summary>
    /// <exception cref="McpAuthException">StateMismatch.</exception>
    private void RequireUncontested(CallbackListener listener)
    {
        if (listener.Contested.IsCompleted)
        {
            throw new McpAuthException(ErrorReason.StateMismatch,
                "Two browsers opened the address of this sign-in. Another user or program of this machine may have opened it first, to sign you in "
                + "with another account. The sign-in was ended, and nothing was stored.",
                Command(StepOptionKind.NoBrowser));
        }
    }

    /// <summary>Revokes tokens that are not stored. A failure does no harm, because no program has them.</summary>
    private async Task RevokeAsync(ClientIdentity client, TokenSet tokens)
    {
        if (_issuer.RevocationEndpoint is not { } endpoint)
        {
            return;
        }
        try
        {
            await RevocationRequest.RevokeAsync(Http, endpoint, _issuer.Issuer, client, tokens.RefreshToken, tokens.AccessToken,
                context.Environment.Time, CancellationToken.None).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            // The failure that ends the sign-in is more important.
            context.Progress?.Report($"The tokens were not revoked. {e.Message}");
        }
    }

    private async Task<IReadOnlyDictionary<string, string>?> ReadPastedAsync(CallbackListener listener, CancellationToken cancellationToken)
    {
        try
        {
            while (await context.Interaction.ReadRedirectAsync(cancellationToken).ConfigureAwait(false) is { } line)
            {
                if (line.Trim().Length == 0)
                {
                    continue;
                }
                if (listener.ReadPasted(line) is { } values)
                {
                    return values;
                }
                context.Interaction.Notice("That is not the address that this sign-in ends on. It starts with " + listener.RedirectUri);
            }
        }
        catch (OperationCanceledException)
        {
            // The callback arrived first, or the time ran out, which the caller reports.
        }
        return null;
    }

    private async Task<(ClientIdentity, TokenSet)> WithDeviceCodeAsync(bool again, TimeLimit limit)
    {
        var cancellationToken = limit.Token;
        var client = await Client.IdentifyForDeviceAsync(again, cancellationToken).ConfigureAwait(false);
        var grant = new DeviceCodeGrant(Http, Policy, _issuer, client, target.ResourceParameter, target.Scopes, target.DPoP.Bind(), context.Environment.Time);
        context.Interaction.ShowDeviceCode(WaitWithinAsync(limit, await grant.StartAsync(cancellationToken).ConfigureAwait(false)));
        var tokens = await grant.WaitAsync(Exchange, cancellationToken).ConfigureAwait(false);
        return (await Client.KeepMethodAsync(client, tokens).ConfigureAwait(false), tokens);
    }

    /// <summary>Returns the code with the time that the person has to enter it.</summary>
    private DeviceCode WaitWithinAsync(TimeLimit limit, DeviceCode code)
    {
        code = code with { Issuer = _issuer.Issuer, Server = target.IsIdentityProvider ? null : server.Name };
        if (options.Timeout != SignInOptions.DefaultTimeout)
        {
            return options.Timeout < code.Lifetime ? code with { Lifetime = options.Timeout } : code;
        }
        // The user set no shorter time, so the lifetime of the code applies.
        limit.Restart(code.Lifetime);
        return code;
    }

    /// <summary>Returns the parameters that the user adds to the authorization URL, for the server and for this sign-in.</summary>
    /// <exception cref="McpAuthException">InvalidValue: another program may have written a parameter that is not allowed.</exception>
    private IReadOnlyDictionary<string, string> AddedToUrl(bool device)
    {
        var once = options.AuthorizeParams;
        var added = once.Count == 0 ? server.AuthorizeParams : AuthorizeParameters.Changed(server.AuthorizeParams, once);
        if (device)
        {
            if (added.Count > 0)
            {
                context.Interaction.Warn($"The authorization parameters of '{server.Name}' are not used, "
                    + "because a sign-in with a device code has no authorization URL.");
            }
            return AuthorizeParameters.None;
        }
        AuthorizeParameters.Check(once);
        AuthorizeParameters.Check(added, name =>
            new UpdateServerStep(server, new StepOption(StepOptionKind.AuthorizeParameter, name)));
        return added;
    }

    /// <summary>Explains a sign-in with a stored client that was not finished in time.</summary>
    /// <param name="message">What happened.</param>
    private async Task<McpAuthException> ExplainSilenceAsync(string message)
    {
        if (_issuer.RegistrationEndpoint is null)
        {
            return new McpAuthException(ErrorReason.AuthenticationTimeout, message, Command(StepOptionKind.Timeout));
        }
        if (_started || target.IsIdentityProvider)
        {
            await Client.DoubtAsync(Client.Stored!).ConfigureAwait(false);
            return new McpAuthException(ErrorReason.AuthenticationTimeout,
                $"{message} The issuer may have forgotten this client. The next sign-in registers a new one.", Command(StepOptionKind.Timeout));
        }
        return new McpAuthException(ErrorReason.AuthenticationTimeout,
            $"{message} If you saw an error page, the issuer may have forgotten this client. Remove its registration, then sign in again.",
            new ForgetClientStep(server));
    }
}

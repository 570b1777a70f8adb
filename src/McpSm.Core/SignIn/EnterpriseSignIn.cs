using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Entra;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Interaction;
using McpSm.Core.Interruption;
using McpSm.Core.Registration;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>
/// Signs in through an identity provider (enterprise-managed authorization, rule 34 of docs/rules.md). A person signs in once at the provider of
/// the organisation, which then vouches for the person at the issuer of every server that trusts it.
/// </summary>
internal sealed class EnterpriseSignIn(AppEnvironment environment, CredentialStore store, IdentitySessionStore identities, IdentityAssertionGrant assertion,
    EntraTokenClient entra, IAuthInteraction interaction, IProgress<string>? progress)
{
    private readonly Settings _settings = new(environment);

    /// <summary>Returns whether an identity provider may sign in to the server. A person may then not be needed.</summary>
    public bool CanSignInTo(McpServer server, SignInOptions options) =>
        options.IdentityProvider is not null || store.Index.Read(server.Id)?.IdentityProvider is not null || _settings.IdentityProvider is not null;

    /// <summary>Returns the provider that vouches for the person at this issuer; null if the person signs in at the issuer.</summary>
    /// <exception cref="McpAuthException">InvalidValue, UnsafeEndpoint: the provider that the user named cannot be used.</exception>
    public string? Choose(McpServer server, ServerSecrets? item, SignInTarget target, SignInOptions options)
    {
        if (options.IdentityProvider is { } named)
        {
            Check(named);
            return named;
        }
        if (item?.OAuth is { IdentityProvider: { } before, Issuer: { } issuer } && issuer == target.Issuer.Issuer)
        {
            return before;
        }
        if (_settings.IdentityProvider is not { Issuer: var set } || !target.Issuer.IdJagSupported)
        {
            return null;
        }
        if (Client(server, item, target) is not null)
        {
            return set;
        }
        interaction.Notice(environment.Remedies.Format(
            $"The identity provider could sign in to '{server.Name}' if a client id were set: "
            + $"{new UpdateServerStep(server, StepOptionKind.ClientId)}"));
        return null;
    }

    /// <summary>Signs in to a server through the provider. If there is no session with the provider, a person signs in there first.</summary>
    public async Task<OAuthCredential> RunAsync(string provider, McpServer server, ServerSecrets? item, SignInTarget target, SignInOptions options,
        RestrictedHttpClient http, CancellationToken cancellationToken)
    {
        var issuer = target.Issuer;
        if (EntraIssuer.Find(issuer.Issuer) is not null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue,
                $"The issuer of '{server.Name}' is Microsoft Entra ID, which does not accept the assertions of other identity providers.",
                new SignInStep(server));
        }
        // Not a dynamically registered client: the provider writes the client id into the assertion, so it must know the client.
        var client = Client(server, item, target) ?? throw new McpAuthException(ErrorReason.ClientRegistrationFailed,
            $"No client id is set for '{server.Name}'. The identity provider can vouch only for a client that it knows "
            + $"at {UntrustedText.Sanitize(issuer.Issuer)}.",
            $"Ask the operator of the identity provider, then: {new UpdateServerStep(server, StepOptionKind.ClientId)}");
        // Rule 10: what offline_access asks for, a refresh token, has no place here.
        target = server.Scopes.Count > 0 ? target : target with { Scopes = [.. target.Scopes.Where(s => s != Discovery.Scopes.Offline)] };
        for (var asked = false; ; asked = true)
        {
            try
            {
                var tokens = await assertion.RequestAsync(http, provider, issuer.Issuer, issuer.TokenEndpoint, client, target.Resource,
                    target.Scopes, target.DPoP.Bind(), cancellationToken).ConfigureAwait(false);
                return target.Credential(client, tokens, environment.Time.GetUtcNow()) with { IdentityProvider = provider };
            }
            catch (McpAuthException e) when (e.Reason == ErrorReason.AuthenticationRequired && !asked)
            {
                await SignInAsync(provider, options, cancellationToken).ConfigureAwait(false);
            }
            catch (McpAuthException e) when (e.Reason == ErrorReason.AssertionRejected)
            {
                throw e.For(server.Name, $"Ask the operator of {UntrustedText.Sanitize(issuer.Issuer)} whether it trusts the identity provider "
                    + $"{UntrustedText.Sanitize(provider)} and lets this client use the JWT bearer grant.");
            }
        }
    }

    /// <summary>Signs a person in at the provider, and stores the session.</summary>
    /// <exception cref="McpAuthException">
    /// InteractionRequired, PkceUnsupported, IssuerMismatch, TokenResponseInvalid, and the reasons of every step.
    /// </exception>
    public async Task<IdentitySession> SignInAsync(string provider, SignInOptions options, CancellationToken cancellationToken)
    {
        if (!interaction.CanAnswer)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired,
                $"Signing in at the identity provider {UntrustedText.Sanitize(provider)} needs a person, and no person can answer here.",
                $"Run '{Step(provider)}' at a prompt. MCPSM_INTERACTIVE=1 says that a person can answer.");
        }
        var (http, policy, issuer) = await OpenAsync(provider, options.Timeout, cancellationToken).ConfigureAwait(false);
        using (http)
        {
            var found = await identities.ReadAsync(provider, cancellationToken, options.Vault).ConfigureAwait(false);
            found = await identities.PrepareAsync(provider, options.Vault, cancellationToken).ConfigureAwait(false) ?? found;
            using var room = HandleReserve.Take();
            var (server, secret) = await AsServerAsync(provider, options.Vault, cancellationToken).ConfigureAwait(false);
            var target = new SignInTarget(provider, issuer, [provider], Scopes(provider, issuer))
            { IsIdentityProvider = true, DPoP = DPoPRequirement.Unwanted }.WithPkce();
            progress?.Report($"Signing in at the identity provider {UntrustedText.Sanitize(provider)}.");
            using var exchange = environment.Exchanges.Prepare(cancellationToken);
            try
            {
                var (client, tokens) = await new InteractiveSignIn(new AuthContext(environment, interaction, progress), server,
                    new ServerSecrets { Url = provider, ClientSecret = secret }, target, options)
                {
                    Http = http,
                    Policy = policy,
                    Clients = new ClientRegistrar(environment, store),
                    Entra = entra,
                    Command = option => Step(provider, null, option),
                    Exchange = exchange,
                }.ObtainAsync(cancellationToken).ConfigureAwait(false);
                room.Dispose();
                var session = await KeepAsync(issuer, client, tokens, found, options.Vault).ConfigureAwait(false);
                exchange.Complete();
                return session;
            }
            catch (McpAuthException e) when (e.Reason == ErrorReason.ClientRegistrationFailed)
            {
                throw new McpAuthException(e.Reason, e.Message,
                    $"Register a client there, redirect URI http://127.0.0.1:8888/callback, then: "
                        + $"{new UseIdentityProviderStep(provider, StepOptionKind.ClientId)}", e)
                { OAuthError = e.OAuthError, StatusCode = e.StatusCode };
            }
        }
    }

    /// <summary>Stores an ID token that another program obtained from the provider for the same client. It is never renewed.</summary>
    /// <param name="provider">The issuer identifier of the provider.</param>
    /// <param name="clientId">The client that the token was issued to; null for the client in the settings.</param>
    /// <param name="idToken">The ID token.</param>
    /// <param name="vault">The vault that the user named; null for the selected one.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<IdentitySession> KeepTokenAsync(string provider, string? clientId, string idToken, string? vault, CancellationToken cancellationToken)
    {
        Check(provider);
        var (server, secret) = await AsServerAsync(provider, vault, cancellationToken).ConfigureAwait(false);
        var id = clientId ?? server.ClientId ?? throw new McpAuthException(ErrorReason.InvalidValue, "The client that the ID token was issued to is unknown.",
            new UseIdentityProviderStep(provider, StepOptionKind.ClientId));
        // Check before any request: scripts often pass a wrong or an old token.
        RequireUsable(provider, id, idToken);
        var (http, _, issuer) = await OpenAsync(provider, SignInOptions.DefaultTimeout, cancellationToken).ConfigureAwait(false);
        http.Dispose();
        var client = ClientIdentity.Create(ClientKind.PreRegistered, id, id == server.ClientId ? secret : null, issuer);
        var now = environment.Time.GetUtcNow();
        var found = await identities.ReadAsync(provider, cancellationToken, vault).ConfigureAwait(false);
        return await KeepAsync(issuer, client, new TokenSet("", null, now, null, []) { IdToken = idToken }, found, vault).ConfigureAwait(false);
    }

    /// <summary>Throws if the URL cannot be that of an identity provider.</summary>
    /// <exception cref="McpAuthException">InvalidValue, UnsafeEndpoint.</exception>
    public static Uri Check(string provider)
    {
        if (!UrlPolicy.TryParse(provider, out var uri) || uri.Scheme is not ("https" or "http"))
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "The identity provider's issuer must be an absolute http(s) URL.",
                "Give the 'issuer' of its OpenID Connect metadata, such as https://login.example.com");
        }
        if (EntraIssuer.Find(provider) is not null)
        {
            // Entra's token endpoint does not support RFC 8693 token exchange, and its on-behalf-of grant works only within Entra.
            throw new McpAuthException(ErrorReason.InvalidValue,
                "Microsoft Entra ID issues no ID-JAGs, so it cannot be the identity provider for servers of other issuers.",
                $"Servers whose issuer is Entra ID need no identity provider: {new SignInStep(ServerReference.Unknown)}");
        }
        return new UrlPolicy(uri).Check(provider, "The identity provider");
    }

    /// <summary>Returns the step that signs in at a provider.</summary>
    /// <param name="provider">The issuer identifier of the provider.</param>
    /// <param name="server">A server that it signs in to; null if none is known.</param>
    /// <param name="options">Other options of the step.</param>
    public NextStep Step(string provider, McpServer? server = null, params IReadOnlyList<StepOption> options) => _settings.IdentityProvider?.Issuer == provider
        ? new SignInToIdentityProviderStep { Options = options }
        : new SignInStep(server ?? ServerReference.Unknown) { Options = [new StepOption(StepOptionKind.IdentityProvider, provider), .. options] };

    /// <summary>Throws if the provider would refuse the user's ID token. Only the provider checks the signature.</summary>
    /// <exception cref="McpAuthException">IssuerMismatch; TokenResponseInvalid.</exception>
    private void RequireUsable(string provider, string clientId, string idToken)
    {
        try
        {
            IdTokenValidator.Validate(idToken, provider, clientId, null, environment.Time.GetUtcNow());
        }
        catch (McpAuthException e)
        {
            throw new McpAuthException(e.Reason, e.Message,
                $"Pass an ID token that {UntrustedText.Sanitize(provider)} issued to the client {UntrustedText.Sanitize(clientId)} and that has not expired.",
                e);
        }
    }

    /// <param name="issuer">The metadata of the provider.</param>
    /// <param name="client">The client that signed in.</param>
    /// <param name="tokens">The tokens of the sign-in.</param>
    /// <param name="found">The item in the vault before the sign-in. It is used if the vault was locked meanwhile.</param>
    /// <param name="vault">The vault that the user named; null for the selected one.</param>
    private async Task<IdentitySession> KeepAsync(
        AuthorizationServerMetadata issuer, ClientIdentity client, TokenSet tokens, IdentityProviderSecrets? found, string? vault)
    {
        var now = environment.Time.GetUtcNow();
        var identity = IdTokenValidator.Validate(tokens.IdToken, issuer.Issuer, client.Id, null, now);
        var session = new IdentitySession
        {
            Client = client,
            IdToken = "",
            Subject = "",
            SignedInAt = now,
            TokenEndpoint = issuer.TokenEndpoint,
            RevocationEndpoint = issuer.RevocationEndpoint,
            MetadataReadAt = now,
        }.With(tokens, identity);
        IdentitySession? replaced;
        // Ctrl+C must not lose the tokens of the provider.
        using (await identities.LockAsync(issuer.Issuer, CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                found = await identities.ReadAsync(issuer.Issuer, CancellationToken.None, vault).ConfigureAwait(false);
            }
            catch (McpAuthException e) when (SupersededCopies.CannotBeOpened(e))
            {
                // The provider has issued the session. The vault cannot be written either, so the session waits for it.
            }
            var kept = found ?? new IdentityProviderSecrets { Issuer = issuer.Issuer };
            replaced = kept.Session;
            if (await identities.StoreAsync(kept with { Session = session }, vault, Step(issuer.Issuer), isRenewal: false).ConfigureAwait(false) is { } failed)
            {
                throw failed;
            }
        }
        if (replaced is not null && !replaced.MayReplace(session)
            && await RevokeAsync(issuer.Issuer, replaced, CancellationToken.None).ConfigureAwait(false) is { } failure)
        {
            progress?.Report($"The previous session was not revoked. {failure}");
        }
        return session;
    }

    /// <summary>Revokes a session at the provider (RFC 7009).</summary>
    /// <returns>Why the provider did not confirm; null if it did, or if there is nothing to revoke.</returns>
    public async Task<string?> RevokeAsync(string provider, IdentitySession session, CancellationToken cancellationToken)
    {
        if (session.RefreshToken is null)
        {
            return null;
        }
        if (session.RevocationEndpoint is not { } endpoint)
        {
            return "The identity provider does not support revocation. Its tokens are valid until they expire.";
        }
        try
        {
            // Do not wait long for a provider that does not answer.
            using var http = new RestrictedHttpClient(UrlPolicy.ForIssuer(environment.Network, provider, endpoint), null, TimeSpan.FromSeconds(5));
            return await RevocationRequest.RevokeAsync(http, endpoint, provider, session.Client, session.RefreshToken, null,
                environment.Time, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            return e.Message;
        }
    }

    private async Task<(RestrictedHttpClient Http, UrlPolicy Policy, AuthorizationServerMetadata Issuer)> OpenAsync(
        string provider, TimeSpan timeout, CancellationToken cancellationToken)
    {
        Check(provider);
        var policy = UrlPolicy.ForIssuer(environment.Network, provider);
        var http = new RestrictedHttpClient(policy, progress);
        using var limit = new TimeLimit(http.Time, timeout, cancellationToken);
        try
        {
            var issuer = await AuthorizationServerMetadata.FindAsync(http, policy, provider, url => new UseIdentityProviderStep(url), limit.Token)
                .ConfigureAwait(false);
            return issuer.RequestedTokenTypes?.Contains(TokenExchangeGrant.IdJag) == false
                ? throw TokenExchangeGrant.NoIdJags(provider, "Its metadata says so.") : (http, policy, issuer);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            http.Dispose();
            throw new McpAuthException(ErrorReason.ServerUnreachable, $"The identity provider did not answer within {timeout.TotalSeconds:0} seconds.",
                "Check the URL and the network, then try again.");
        }
        catch
        {
            http.Dispose();
            throw;
        }
    }

    /// <summary>Returns the provider as a server to sign in to, and the secret of the user's client there.</summary>
    private async Task<(McpServer Server, string? Secret)> AsServerAsync(string provider, string? vault, CancellationToken cancellationToken)
    {
        var id = _settings.IdentityProvider is { } set && set.Issuer == provider ? set.ClientId : null;
        var kept = await identities.ReadAsync(provider, cancellationToken, vault).ConfigureAwait(false);
        return (new McpServer { Id = "", Name = new Uri(provider).Host, Url = provider, Issuer = provider, ClientId = id },
            id is not null && kept?.ClientId == id ? kept.ClientSecret : null);
    }

    /// <summary>Returns the scopes to request: openid with those of the settings, or else with offline_access if the provider lists it.</summary>
    private IReadOnlyList<string> Scopes(string provider, AuthorizationServerMetadata issuer) =>
        [.. new[] { "openid" }.Union(_settings.IdentityProvider is { Scopes.Count: > 0 } set && set.Issuer == provider ? set.Scopes
            : issuer.ScopesSupported?.Contains(Discovery.Scopes.Offline) == true ? [Discovery.Scopes.Offline] : [])];

    private ClientIdentity? Client(McpServer server, ServerSecrets? item, SignInTarget target) => ClientRegistrar.CreateSupplied(server, item, target.Issuer,
        (server.ClientMetadataUrl ?? _settings.ClientMetadataUrl) is { } url ? ClientRegistrar.CheckMetadataUrl(url) : null);
}

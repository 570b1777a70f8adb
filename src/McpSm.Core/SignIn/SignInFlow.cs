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

/// <summary>Signs in to one server: docs/architecture.md describes each step, from the challenge to a credential that is stored and proven.</summary>
internal sealed class SignInFlow(AuthContext context, CredentialStore store, ServerCatalog catalog, TokenRevoker revoker, EnterpriseSignIn enterprise)
{
    private readonly AppEnvironment _environment = context.Environment;
    private readonly IAuthInteraction _interaction = context.Interaction;
    private readonly IProgress<string>? _progress = context.Progress;

    public required EntraTokenClient Entra { private get; init; }

    /// <summary>Returns whether an identity provider may sign in to the server. A person may then not be needed.</summary>
    public bool MayUseIdentityProvider(McpServer server, SignInOptions options) => enterprise.CanSignInTo(server, options);

    /// <param name="server">The server.</param>
    /// <param name="options">The options of the sign-in.</param>
    /// <param name="client">The client that signs in by itself; null if a person signs in.</param>
    /// <param name="refusal">The refusal of a request that the caller repeats after the sign-in, to verify the token; null without such a request.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The server in the catalog, and why the token could not be verified, if so; null if the server needs no token.</returns>
    public async Task<(McpServer Server, string? Unproven)?> RunAsync(McpServer server, SignInOptions options,
        ClientCredentials? client, RefusedRequest? refusal, CancellationToken cancellationToken)
    {
        SignInTarget? target = null;
        try
        {
            return await RunAsync(server, options, client, refusal, t => target = t, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Remedy is null)
        {
            throw e.For(server.Name, SignInRemedy.ForSignIn(server, e, target));
        }
    }

    private async Task<(McpServer Server, string? Unproven)?> RunAsync(McpServer server, SignInOptions options, ClientCredentials? client,
        RefusedRequest? refusal, Action<SignInTarget> tell, CancellationToken cancellationToken)
    {
        var found = await store.ReadRawAsync(server, cancellationToken, options.Vault).ConfigureAwait(false);
        var item = found?.UsableFor(server);
        var policy = server.PolicyIn(_environment);
        using var http = new RestrictedHttpClient(policy, _progress);
        using var exchange = _environment.Exchanges.Prepare(cancellationToken);
        if (await FindTargetAsync(http, policy, server, item, refusal, options.Timeout, cancellationToken).ConfigureAwait(false) is not { } target)
        {
            await store.Index.WriteAsync(server.Id, f => f is null or { Kind: CredentialKind.None }
                ? (f ?? new CredentialInfo()) with { Url = server.Url, AnsweredAnonymously = true } : f, cancellationToken).ConfigureAwait(false);
            return null;
        }
        tell(target);
        RequireOwnApi(server, target);
        var provider = client is null ? enterprise.Choose(server, item, target, options) : null;
        if (client is null && provider is null)
        {
            target = target.WithPkce();
            RequirePerson(server, _interaction);
        }
        if (server.OAuth == OAuthMode.Unset)
        {
            server = await catalog.UpdateAsync(server.Id, s => new McpServer(s) { OAuth = OAuthMode.On }, cancellationToken).ConfigureAwait(false);
            _interaction.Notice($"'{server.Name}' requires sign-in. OAuth is now on for this server.");
        }
        using (await store.LockAsync(server, cancellationToken).ConfigureAwait(false))
        {
            found = await store.PrepareAsync(server, options.Vault, cancellationToken).ConfigureAwait(false) ?? found;
        }
        using var room = HandleReserve.Take();
        if (item?.OAuth?.Issuer is { } other && !target.TrustedIssuers.Contains(other))
        {
            _interaction.Warn($"'{server.Name}' has a new issuer, {UntrustedText.Sanitize(target.Issuer.Issuer)}. "
                + $"This sign-in replaces the token of {UntrustedText.Sanitize(other)}.");
        }
        var credential = client is not null
            ? await new UnattendedSignIn(_environment, server, item, target, client, http, Entra).RunAsync(cancellationToken).ConfigureAwait(false)
            : provider is not null
            ? await enterprise.RunAsync(provider, server, item, target, options, http, cancellationToken).ConfigureAwait(false)
            : await new InteractiveSignIn(context, server, item, target, options)
            { Http = http, Policy = policy, Clients = new ClientRegistrar(_environment, store), Entra = Entra, Exchange = exchange }
                .RunAsync(cancellationToken).ConfigureAwait(false);
        exchange.Begin();
        room.Dispose();
        var before = await KeepAsync(server, credential, found, options.Vault).ConfigureAwait(false);
        exchange.Complete();
        _progress?.Report($"The credential is stored in the vault '{store.Index.Read(server.Id)?.Vault}'.");
        var unproven = refusal is not null ? null : await VerifyAsync(server, before, credential, http, cancellationToken).ConfigureAwait(false);
        if (before.OAuth is { Issuer: not null } replaced && !replaced.MayReplace(credential))
        {
            // Rule 7 of docs/rules.md: revoke the replaced tokens, because nothing would renew or revoke them later. Only after the new
            // tokens are stored, so that a temporary misconfiguration of the server does not cost the user a working sign-in.
            await revoker.RunAsync(server, replaced, CancellationToken.None).ConfigureAwait(false);
        }
        return (server, unproven);
    }

    /// <summary>Stores the credential, unless the server was removed or got another URL during the sign-in.</summary>
    /// <param name="server">The server.</param>
    /// <param name="credential">The credential of the sign-in.</param>
    /// <param name="found">The item in the vault before the sign-in. It is used if the vault was locked meanwhile.</param>
    /// <param name="vault">The vault that the user named; null for the selected one.</param>
    /// <returns>The previous item, even if it is bound to another URL.</returns>
    /// <exception cref="McpAuthException">ServerNotFound, AuthenticationRequired: the credential is then revoked. The reasons of the vault.</exception>
    private async Task<ServerSecrets> KeepAsync(McpServer server, OAuthCredential credential, ServerSecrets? found, string? vault)
    {
        McpAuthException gone;
        // Ctrl+C must not lose the tokens of the issuer.
        using (await store.LockAsync(server, CancellationToken.None).ConfigureAwait(false))
        {
            try
            {
                RequireUsable(credential, server, catalog.Reload(server));
                var raw = await ReadAgainAsync(server, found, vault).ConfigureAwait(false) ?? new ServerSecrets { Url = server.Url };
                var item = raw.UsableFor(server) ?? new ServerSecrets { Url = server.Url };
                var stored = item.With(credential) with { Url = server.Url };
                if (await store.StoreAsync(server, stored, vault, isRenewal: false).ConfigureAwait(false) is { } failed)
                {
                    var told = failed.ToException($"The sign-in to '{server.Name}'",
                        failed.Outcome == StorageOutcome.MemoryOnly ? new SignInStep(server) : new RefreshStep(server));
                    _interaction.Warn(failed.Outcome == StorageOutcome.MemoryOnly ? throw told : _environment.Remedies.Explain(told));
                }
                return raw;
            }
            catch (McpAuthException e) when (e.Reason is ErrorReason.ServerNotFound or ErrorReason.AuthenticationRequired)
            {
                gone = e;
            }
        }
        await revoker.RunAsync(server, credential, CancellationToken.None).ConfigureAwait(false);
        throw gone;
    }

    private async Task<ServerSecrets?> ReadAgainAsync(McpServer server, ServerSecrets? found, string? vault)
    {
        try
        {
            return await store.ReadRawAsync(server, CancellationToken.None, vault).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (SupersededCopies.CannotBeOpened(e))
        {
            // The issuer has issued the tokens. The vault cannot be written either, so the credential waits for it.
            return found;
        }
    }

    /// <exception cref="McpAuthException">AuthenticationRequired: the server has changed, and the credential cannot be used for it.</exception>
    private static void RequireUsable(OAuthCredential credential, McpServer signedInTo, McpServer now)
    {
        if (new ServerSecrets { Url = signedInTo.Url, OAuth = credential }.UsableFor(now)?.OAuth is null)
        {
            throw new McpAuthException(ErrorReason.AuthenticationRequired,
                $"The URL of '{now.Name}' was changed during the sign-in. The token was issued for the previous URL, and was not stored.",
                new SignInStep(now))
            { Server = now.Name };
        }
    }

    /// <summary>
    /// Throws if the server asks Entra ID for the API of another server. An <c>api://</c> URI does not show its owner, and a client that may use
    /// both APIs would send a token for one server to the other (rule 22).
    /// </summary>
    private void RequireOwnApi(McpServer server, SignInTarget target)
    {
        if (EntraIssuer.Find(target.Issuer.Issuer) is null || server.Scopes.Count > 0)
        {
            return;
        }
        var apis = target.Scopes.Select(EntraScopes.ApiOf).OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase);
        var facts = store.Index.Read();
        foreach (var other in catalog.List().Where(s => UrlPolicy.TryParse(s.Url, out var url) && !ResourceUri.SameOrigin(url, server.Uri)))
        {
            var held = facts.GetValueOrDefault(other.Id) is { Scopes: { } scopes } known && EntraIssuer.Find(known.Issuer) is not null ? scopes : [];
            if (other.Scopes.Concat(held).Select(EntraScopes.ApiOf).OfType<string>().FirstOrDefault(apis.Contains) is { } api)
            {
                var wanted = new StepOption(StepOptionKind.Scope, [.. target.Scopes.Where(s => !EntraScopes.IsOfPerson(s))]);
                throw new McpAuthException(ErrorReason.ResourceMismatch,
                    $"'{server.Name}' asks for a token of {UntrustedText.Sanitize(api)}, which is the API of '{other.Name}'. "
                    + $"With that token, '{server.Name}' could act there in your name.",
                    $"Only if both servers belong to that API: {new UpdateServerStep(server, wanted)}");
            }
        }
    }

    private async Task<SignInTarget?> FindTargetAsync(RestrictedHttpClient http, UrlPolicy policy, McpServer server, ServerSecrets? item,
        RefusedRequest? refusal, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(http.Time, timeout, cancellationToken);
        try
        {
            return await SignInTarget.FindAsync(http, policy, server, item, refusal, _progress, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new McpAuthException(ErrorReason.ServerUnreachable,
                $"The server and its issuer did not answer within {timeout.TotalSeconds:0} seconds.",
                "Check the URL and the network, then try again.");
        }
    }

    /// <summary>Verifies the token with one authenticated request. A token that the server refuses is not stored.</summary>
    /// <param name="server">The server.</param>
    /// <param name="before">The item that it replaced, even if that is bound to another URL.</param>
    /// <param name="credential">The credential of the sign-in.</param>
    /// <param name="http">Sends the requests.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Why the server did not accept the token; null if it did.</returns>
    private async Task<string?> VerifyAsync(McpServer server, ServerSecrets before, OAuthCredential credential, RestrictedHttpClient http,
        CancellationToken cancellationToken)
    {
        _progress?.Report("Sending the token to the server.");
        ChallengeResponse answer;
        try
        {
            answer = await ChallengeProbe.SendAsync(http, server.Uri, server.Transport == McpTransport.Sse,
                ServerSecrets.HeadersFor(server, before.UsableFor(server)), request => credential.Authorize(request, _environment.Time.GetUtcNow()),
                cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.ServerUnreachable)
        {
            return e.Message;
        }
        if (answer.Status == 401)
        {
            throw await DropAsync(server, credential, before).ConfigureAwait(false);
        }
        // With 400 an MCP server refuses the content of the request, after it has accepted the token.
        return answer.Status is < 200 or (>= 300 and not 400) ? $"The server answered {ChallengeProbe.DescribeStatus(answer.Status)}." : null;
    }

    /// <summary>
    /// Removes a new token that the server refuses. Restores the item that it replaced, unless another process has stored a new one, and revokes
    /// the token.
    /// </summary>
    /// <param name="server">The server.</param>
    /// <param name="credential">The credential of the sign-in.</param>
    /// <param name="before">The item that it replaced; null if the server refused its token too.</param>
    /// <returns>The error to report.</returns>
    public async Task<McpAuthException> DropAsync(McpServer server, OAuthCredential credential, ServerSecrets? before)
    {
        ServerSecrets? left;
        using (await store.LockAsync(server, CancellationToken.None).ConfigureAwait(false))
        {
            left = await store.ReadRawAsync(server, CancellationToken.None).ConfigureAwait(false);
            if (left?.OAuth?.AccessToken == credential.AccessToken)
            {
                left = before ?? left with { OAuth = null };
                await (left.IsEmpty ? store.RemoveAsync(server, CancellationToken.None)
                    : store.ReplaceAsync(server, left, CancellationToken.None)).ConfigureAwait(false);
            }
        }
        // The revocation must not end the restored credential.
        await revoker.RunAsync(server, left?.OAuth is { } stays && credential.MayReplace(stays) ? credential with { RefreshToken = null } : credential,
            CancellationToken.None).ConfigureAwait(false);
        return new McpAuthException(ErrorReason.TokenRejected,
            "The server refused the token that its issuer had just issued (401 Unauthorized). The token was not stored.",
            "Tell the operator of the server that it does not accept the tokens of its own issuer.")
        { StatusCode = 401 };
    }

    /// <exception cref="McpAuthException">InteractionRequired: no person can answer.</exception>
    internal static void RequirePerson(McpServer server, IAuthInteraction interaction)
    {
        if (!interaction.CanAnswer)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired,
                $"Signing in to '{server.Name}' needs a person, and no person can answer here.",
                $"Run '{new SignInStep(server)}' at a prompt, or store a token with '{new SetTokenStep(server) { Unattended = true }}'. "
                + $"{UnattendedClientResolver.HowToGive}, to sign in as a client, or {UnattendedClientResolver.AssertionVariable}, as a workload. "
                + $"MCPSM_INTERACTIVE=1 says that a person can answer.")
            { Server = server.Name };
        }
    }
}

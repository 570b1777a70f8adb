using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Core.HttpAuthentication;

/// <summary>
/// The credential of a handler. It is read once. Later it is renewed, replaced by that of another process, or obtained by a new sign-in. One
/// change runs at a time, and all requests that wait for the same change get its result. A change ends with the handler, not with the request
/// that began it: a spent refresh token or the sign-in of a person must not be lost because one request timed out.
/// </summary>
/// <param name="server">The server.</param>
/// <param name="tokens">Reads and renews the credential.</param>
/// <param name="signInService">Signs in.</param>
/// <param name="time">The clock.</param>
/// <param name="signIn">How to sign in if a request needs it; null not to sign in.</param>
internal sealed class HandlerCredential(
    McpServer server, TokenService tokens, SignInService signInService, TimeProvider time, SignInOptions? signIn) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _end = new();
    private readonly StepUpPolicy _stepUp = new();
    private McpServer _server = server;
    private ServerSecrets? _item;
    private bool _read;
    private Change? _change;
    private string? _heldBack;
    private McpAuthException? _failed;

    /// <summary>Returns the item for the next request, and renews its token first if that is due.</summary>
    /// <exception cref="McpAuthException">The vault's and the renewal's reasons.</exception>
    public Task<ServerSecrets?> GetAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_read && !IsDue(_item))
            {
                return Task.FromResult(_item);
            }
        }
        return ChangeAsync(_item?.Token, "read", ReadAsync, cancellationToken);
    }

    /// <summary>Looks for another credential after a response that refused the present one.</summary>
    /// <returns>Whether to send the request again, and with which credential.</returns>
    /// <exception cref="McpAuthException">The reasons of renewal and sign-in; TokenRejected; InsufficientScope.</exception>
    public async Task<(bool Again, ServerSecrets? Item)> HandleResponseAsync(ServerSecrets? sent, ChallengeResponse answer, RequestAttempt attempt,
        CancellationToken cancellationToken)
    {
        if (answer.Status == 401 || (sent?.Token is null && answer.AsksForCredential))
        {
            return await HandleUnauthorizedAsync(sent, answer, attempt, cancellationToken).ConfigureAwait(false);
        }
        if (answer.IsInsufficientScope && sent?.OAuth is { } oauth && MaySignIn(sent))
        {
            if (attempt.StepUps++ >= StepUpPolicy.MaxAttempts)
            {
                throw StepUpPolicy.Insufficient(_server, answer, "and did so again after several sign-ins");
            }
            var item = await ChangeAsync(sent.Token, "step up " + Scopes.Join(answer.Scopes ?? []),
                () => StepUpAsync(oauth, answer), cancellationToken).ConfigureAwait(false);
            return (true, item);
        }
        if (attempt.StepUps > 0)
        {
            _stepUp.Succeeded();
        }
        return (false, null);
    }

    /// <summary>Cancels a change that is running, and waits for its end.</summary>
    public async Task EndAsync()
    {
        await _end.CancelAsync().ConfigureAwait(false);
        Task? running;
        lock (_gate)
        {
            running = _change?.Task;
        }
        if (running is not null)
        {
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose()
    {
        // Not disposed: a change that begins later must find it cancelled, and the source has no resource to release.
        _end.Cancel();
    }

    private async Task<(bool, ServerSecrets?)> HandleUnauthorizedAsync(ServerSecrets? sent, ChallengeResponse answer, RequestAttempt attempt,
        CancellationToken cancellationToken)
    {
        if (!attempt.Renewed)
        {
            attempt.Renewed = true;
            var item = await ChangeAsync(sent?.Token, "renew", () => RenewAsync(sent), cancellationToken).ConfigureAwait(false);
            if (item?.Token is { } token && token != sent?.Token)
            {
                return (true, item);
            }
            // The credential that was sent may have been removed meanwhile.
            sent = item;
        }
        if (!MaySignIn(sent))
        {
            return (false, null);
        }
        if (!attempt.SignedIn)
        {
            attempt.SignedIn = true;
            return (true, await ChangeAsync(sent?.Token, "sign in", () => SignInOnceAsync(answer), cancellationToken).ConfigureAwait(false));
        }
        if (sent?.OAuth is { } refused)
        {
            await ChangeAsync(sent.Token, "drop", () => DropAsync(refused), cancellationToken).ConfigureAwait(false);
        }
        return _failed is null ? (false, null) : throw _failed;
    }

    /// <summary>
    /// Returns whether a sign-in may replace the credential. The user supplied a bearer token. A person must not replace a client or a workload
    /// that signed in by itself, unless the user asks for that.
    /// </summary>
    private bool MaySignIn(ServerSecrets? item) => signIn is not null && item?.BearerToken is null
        && (item?.OAuth is null or { SignedInBy: SignedInBy.Person or SignedInBy.IdentityProvider } || signIn.ClientCredentials is not null);

    /// <summary>
    /// Returns whether a sign-in can correct a failed renewal. The sign-in of a workload would be the same request again, which rule 36 of
    /// docs/rules.md forbids.
    /// </summary>
    private bool IsForSignIn(McpAuthException e, OAuthCredential held) =>
        held.SignedInBy != SignedInBy.Workload && MaySignIn(new ServerSecrets { Url = _server.Url, OAuth = held })
        && e.Reason is ErrorReason.RefreshTokenRejected or ErrorReason.AuthenticationRequired or ErrorReason.ClientRejected;

    private bool IsDue(ServerSecrets? item)
    {
        var now = time.GetUtcNow();
        return item?.OAuth is { CanRenew: true } oauth && TokenRenewer.IsDue(oauth, now)
            && (oauth.AccessToken != _heldBack || oauth.ExpiresAt <= now);
    }

    private async Task<ServerSecrets?> ReadAsync() =>
        Set(await RenewIfDueAsync(await tokens.ReadAsync(_server, _end.Token).ConfigureAwait(false)).ConfigureAwait(false));

    private async Task<ServerSecrets?> RenewIfDueAsync(ServerSecrets? item)
    {
        if (item?.OAuth is not { } oauth || !IsDue(item))
        {
            return item;
        }
        try
        {
            return item with { OAuth = await tokens.RenewAsync(_server, oauth, _end.Token).ConfigureAwait(false) };
        }
        catch (McpAuthException e) when (oauth.ExpiresAt > time.GetUtcNow() || IsForSignIn(e, oauth))
        {
            // The token is still valid for its last minute, so do not try again in it. Or a sign-in follows, and the server's challenge says
            // for what.
            _heldBack = oauth.AccessToken;
            return item;
        }
    }

    /// <summary>Returns, after a 401, the credential that another process has stored, or the renewed one, or else the present one.</summary>
    private async Task<ServerSecrets?> RenewAsync(ServerSecrets? sent)
    {
        var item = await tokens.ReadAsync(_server, _end.Token).ConfigureAwait(false);
        if (item?.Token != sent?.Token)
        {
            return Set(await RenewIfDueAsync(item).ConfigureAwait(false));
        }
        if (item?.OAuth is { CanRenew: true } oauth)
        {
            try
            {
                return Set(item with { OAuth = await tokens.RenewAsync(_server, oauth, _end.Token).ConfigureAwait(false) });
            }
            catch (McpAuthException e) when (IsForSignIn(e, oauth))
            {
                // The caller signs in.
            }
        }
        return Set(item);
    }

    private async Task<ServerSecrets?> SignInOnceAsync(ChallengeResponse answer)
    {
        if (_failed is { } before)
        {
            // Do not ask the person again for each request. A sign-in in another process is found before this line.
            throw before;
        }
        try
        {
            return await SignInAsync(new RefusedRequest(answer, [])).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason != ErrorReason.ServerUnreachable)
        {
            throw _failed = e.For(_server.Name);
        }
    }

    private async Task<ServerSecrets?> StepUpAsync(OAuthCredential held, ChallengeResponse answer)
    {
        var item = await tokens.ReadAsync(_server, _end.Token).ConfigureAwait(false);
        if (item?.Token != held.AccessToken)
        {
            return Set(item);
        }
        var missing = _stepUp.Begin(_server, held, answer);
        try
        {
            return await SignInAsync(new RefusedRequest(answer, held.Scopes)).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason is ErrorReason.AuthorizationDenied or ErrorReason.InsufficientScope)
        {
            _stepUp.Deny(missing);
            throw;
        }
    }

    private async Task<ServerSecrets?> SignInAsync(RefusedRequest refusal)
    {
        _server = (await signInService.SignInAsync(_server, signIn!, refusal, _end.Token).ConfigureAwait(false)).Server;
        return Set(await tokens.ReadAsync(_server, _end.Token).ConfigureAwait(false));
    }

    private async Task<ServerSecrets?> DropAsync(OAuthCredential refused)
    {
        var why = await signInService.RemoveCredentialAsync(_server, refused).ConfigureAwait(false);
        var item = Set(await tokens.ReadAsync(_server, _end.Token).ConfigureAwait(false));
        _failed = why;
        return item;
    }

    private ServerSecrets? Set(ServerSecrets? item)
    {
        lock (_gate)
        {
            if (item?.Token != _item?.Token)
            {
                _failed = null;
            }
            _read = true;
            return _item = item;
        }
    }

    /// <summary>Runs one change at a time. A caller whose credential was replaced during the wait gets the new one.</summary>
    /// <param name="token">The token that the caller wants to change.</param>
    /// <param name="purpose">Identifies the change: callers with the same purpose share its result.</param>
    /// <param name="work">Makes the change, and returns the new item.</param>
    /// <param name="cancellationToken">Cancels the wait, and not the change.</param>
    private async Task<ServerSecrets?> ChangeAsync(string? token, string purpose, Func<Task<ServerSecrets?>> work, CancellationToken cancellationToken)
    {
        while (true)
        {
            Change change;
            lock (_gate)
            {
                if (_change is not { Task.IsCompleted: false })
                {
                    if (_read && _item?.Token != token)
                    {
                        return _item;
                    }
                    _change = new Change(token, purpose, Task.Run(() => RunAsync(work)));
                }
                change = _change;
            }
            if (change.Token == token && change.Purpose == purpose)
            {
                return await change.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            try
            {
                await change.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception) when (!cancellationToken.IsCancellationRequested)
            {
                // The request that began it reports the failure.
            }
        }
    }

    private async Task<ServerSecrets?> RunAsync(Func<Task<ServerSecrets?>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Server is null)
        {
            throw e.For(_server.Name);
        }
    }

    private sealed record Change(string? Token, string Purpose, Task<ServerSecrets?> Task)
    {
        /// <summary>Without the token: records print all their members.</summary>
        public override string ToString() => Purpose;
    }
}

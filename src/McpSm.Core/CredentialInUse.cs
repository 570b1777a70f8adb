using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Core;

/// <summary>What one request has done so far to be let in.</summary>
internal sealed class Attempt
{
    public bool Renewed { get; set; }
    public bool SignedIn { get; set; }
    public int StepUps { get; set; }
}

/// <summary>
/// The credential that a handler works with while it lives: read once, renewed, replaced by what another process has
/// put in its place, obtained anew. One such change runs at a time, whoever asks, and all who wait for the same one get
/// its result. It ends with the handler, not with the request that began it: a refresh token that was spent must not be
/// lost, nor a person's sign-in, because one request ran out of time.
/// </summary>
/// <param name="signIn">How to sign in where a request needs it; null never to.</param>
internal sealed class CredentialInUse(McpServer server, Authenticator authenticator, ConnectOptions? signIn) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _end = new();
    private readonly StepUp _stepUp = new();
    private McpServer _server = server;
    private ServerItem? _item;
    private bool _read;
    private Change? _change;
    private string? _heldBack;
    private McpAuthException? _failed;

    /// <summary>The item for the next request, its token renewed where that is due.</summary>
    /// <exception cref="McpAuthException">The vault's and the renewal's reasons.</exception>
    public Task<ServerItem?> GetAsync(CancellationToken cancellationToken)
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

    /// <summary>Looks for another credential after an answer that refused the one that was sent.</summary>
    /// <returns>Whether the request should be sent again, and with what.</returns>
    /// <exception cref="McpAuthException">The reasons of renewal and sign-in; TokenRejected; InsufficientScope.</exception>
    public async Task<(bool Again, ServerItem? Item)> AnswerAsync(ServerItem? sent, ServerAnswer answer, Attempt attempt,
        CancellationToken cancellationToken)
    {
        if (answer.Status == 401 || (sent?.Token is null && answer.AsksForCredential))
        {
            return await AnswerUnauthorizedAsync(sent, answer, attempt, cancellationToken).ConfigureAwait(false);
        }
        if (answer.IsInsufficientScope && sent?.OAuth is { } oauth && MaySignIn(sent))
        {
            if (attempt.StepUps++ >= StepUp.Most)
            {
                throw StepUp.Insufficient(_server, answer, "and still does after several sign-ins");
            }
            var item = await ChangeAsync(sent.Token, "step up " + Scopes.Join(answer.Scopes ?? []),
                () => StepUpAsync(oauth, answer), cancellationToken).ConfigureAwait(false);
            return (true, item);
        }
        if (attempt.StepUps > 0)
        {
            _stepUp.Helped();
        }
        return (false, null);
    }

    /// <summary>Ends what is under way and waits until it has ended.</summary>
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
        // A change that begins later finds it cancelled: the source holds nothing that needs disposing.
        _end.Cancel();
    }

    private async Task<(bool, ServerItem?)> AnswerUnauthorizedAsync(ServerItem? sent, ServerAnswer answer, Attempt attempt,
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
            // What was sent may have been removed meanwhile.
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
    /// Whether what there is may be replaced by a sign-in: a bearer token is the user's own, and where a client or a
    /// workload signed in by itself a person does not take its place unasked.
    /// </summary>
    private bool MaySignIn(ServerItem? item) => signIn is not null && item?.BearerToken is null
        && (item?.OAuth is null or { SignedInBy: SignedInBy.Person or SignedInBy.IdentityProvider } || signIn.ClientCredentials is not null);

    /// <summary>
    /// Whether a renewal failed for good, in a way that a sign-in mends. A workload's sign-in would be the same request
    /// again, which rule 36 of docs/rules.md forbids.
    /// </summary>
    private bool IsForSignIn(McpAuthException e, OAuthCredential held) => held.SignedInBy != SignedInBy.Workload && MaySignIn(new ServerItem { Url = _server.Url, OAuth = held })
        && e.Reason is ErrorReason.RefreshTokenRejected or ErrorReason.AuthenticationRequired or ErrorReason.ClientRejected;

    private bool IsDue(ServerItem? item)
    {
        var now = authenticator.Time.GetUtcNow();
        return item?.OAuth is { CanRenew: true } oauth && Renewal.IsDue(oauth, now)
            && (oauth.AccessToken != _heldBack || oauth.ExpiresAt <= now);
    }

    private async Task<ServerItem?> ReadAsync() =>
        Set(await RenewIfDueAsync(await authenticator.ReadAsync(_server, _end.Token).ConfigureAwait(false)).ConfigureAwait(false));

    private async Task<ServerItem?> RenewIfDueAsync(ServerItem? item)
    {
        if (item?.OAuth is not { } oauth || !IsDue(item))
        {
            return item;
        }
        try
        {
            return item with { OAuth = await authenticator.RenewAsync(_server, oauth, _end.Token).ConfigureAwait(false) };
        }
        catch (McpAuthException e) when (oauth.ExpiresAt > authenticator.Time.GetUtcNow() || IsForSignIn(e, oauth))
        {
            // Its last minute is good all the same, and one failure in it is enough; or the server's answer to it
            // tells what to sign in for.
            _heldBack = oauth.AccessToken;
            return item;
        }
    }

    /// <summary>After a 401: what another process has put there, or what renewal gives; else the same as before.</summary>
    private async Task<ServerItem?> RenewAsync(ServerItem? sent)
    {
        var item = await authenticator.ReadAsync(_server, _end.Token).ConfigureAwait(false);
        if (item?.Token != sent?.Token)
        {
            return Set(await RenewIfDueAsync(item).ConfigureAwait(false));
        }
        if (item?.OAuth is { CanRenew: true } oauth)
        {
            try
            {
                return Set(item with { OAuth = await authenticator.RenewAsync(_server, oauth, _end.Token).ConfigureAwait(false) });
            }
            catch (McpAuthException e) when (IsForSignIn(e, oauth))
            {
                // A sign-in is what is left.
            }
        }
        return Set(item);
    }

    private async Task<ServerItem?> SignInOnceAsync(ServerAnswer answer)
    {
        if (_failed is { } before)
        {
            // Each request would ask the person again. What is signed in elsewhere meanwhile is found before this.
            throw before;
        }
        try
        {
            return await SignInAsync(new Refusal(answer, [])).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason != ErrorReason.ServerUnreachable)
        {
            throw _failed = e.For(_server.Name);
        }
    }

    private async Task<ServerItem?> StepUpAsync(OAuthCredential held, ServerAnswer answer)
    {
        var item = await authenticator.ReadAsync(_server, _end.Token).ConfigureAwait(false);
        if (item?.Token != held.AccessToken)
        {
            return Set(item);
        }
        var missing = _stepUp.Begin(_server, held, answer);
        try
        {
            return await SignInAsync(new Refusal(answer, held.Scopes)).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason is ErrorReason.AuthorizationDenied or ErrorReason.InsufficientScope)
        {
            _stepUp.Deny(missing);
            throw;
        }
    }

    private async Task<ServerItem?> SignInAsync(Refusal refusal)
    {
        _server = (await authenticator.ConnectAsync(_server, signIn!, refusal, _end.Token).ConfigureAwait(false)).Server;
        return Set(await authenticator.ReadAsync(_server, _end.Token).ConfigureAwait(false));
    }

    private async Task<ServerItem?> DropAsync(OAuthCredential refused)
    {
        var why = await authenticator.DropAsync(_server, refused).ConfigureAwait(false);
        var item = Set(await authenticator.ReadAsync(_server, _end.Token).ConfigureAwait(false));
        _failed = why;
        return item;
    }

    private ServerItem? Set(ServerItem? item)
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

    /// <summary>Runs one change at a time. Whose credential was replaced while waiting gets that one.</summary>
    /// <param name="token">The token that was found wanting.</param>
    private async Task<ServerItem?> ChangeAsync(string? token, string purpose, Func<Task<ServerItem?>> work, CancellationToken cancellationToken)
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
                // Whoever began it is told.
            }
        }
    }

    private async Task<ServerItem?> RunAsync(Func<Task<ServerItem?>> work)
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

    private sealed record Change(string? Token, string Purpose, Task<ServerItem?> Task)
    {
        /// <summary>Without the token: records print all their members.</summary>
        public override string ToString() => Purpose;
    }
}

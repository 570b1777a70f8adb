using McpSm.Core.Errors;
using McpSm.Relay.Channels;
using McpSm.Relay.Messages;

namespace McpSm.Relay.SignIn;

/// <summary>
/// Lets a person sign in from inside a client. If the relay starts without a usable credential, it answers <c>initialize</c> itself, asks
/// the person, and holds all other messages back until there is a credential. It never asks after a request was answered.
/// </summary>
internal sealed class SignInGate
{
    private const int MaxHeld = 100;
    private const string ElicitationId = "mcpsm-sign-in-";
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    private readonly SignInWatch _watch;
    private readonly RelayOptions _options;
    private readonly MessageWriter _writer;
    private readonly Upstream _upstream;
    private readonly InitializeExchange _initialize;
    private readonly StatelessSignIn _stateless;
    private readonly bool _beganSignedIn;
    private readonly Lock _gate = new();
    private readonly List<Message> _held = [];
    private readonly HashSet<string> _failedLists = [];
    private readonly HashSet<string> _absentLists = [];
    private bool _wasAnswered;
    private bool _hasAsked;
    private bool _isClosed;
    private Message? _client;
    private Message? _initialized;
    private ServerPromise? _promise;
    private string _version = "";
    private RelayFailure? _refusal;
    private TaskCompletionSource _changed = NewSource();
    private CancellationTokenSource? _opening;
    private (string Id, TaskCompletionSource<bool> Answer)? _question;
    private int _questions;

    public SignInGate(SignInWatch watch, RelayOptions options, MessageWriter writer, InitializeExchange initialize, Upstream upstream)
    {
        (_watch, _options, _writer, _initialize, _upstream) = (watch, options, writer, initialize, upstream);
        _stateless = new StatelessSignIn(watch, options, writer, upstream);
        _beganSignedIn = watch.Broker.IsSignedIn;
    }

    /// <summary>Whether messages of the client wait for a sign-in.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_gate)
            {
                return _isClosed;
            }
        }
    }

    private bool MayAsk => !_hasAsked && (!_beganSignedIn || !_wasAnswered) && _watch.Broker.IsForPerson;

    /// <summary>Sends a request of the client as soon as there is a credential, and writes its answer.</summary>
    /// <exception cref="RequestFailedException">No person signed in.</exception>
    public async Task SendAsync(PendingRequest request)
    {
        var message = request.Message;
        if (message.IsStateless)
        {
            await _stateless.SendAsync(request, MayAsk).ConfigureAwait(false);
            _wasAnswered = true;
            return;
        }
        if (message is { Kind: MessageKind.Request, Method: "initialize" })
        {
            await InitializeAsync(request).ConfigureAwait(false);
            return;
        }
        if (message is { Kind: MessageKind.Request, Method: "ping" } && IsClosed)
        {
            await _writer.WriteAsync(RelayAnswer.Empty(message.Id), request.Token).ConfigureAwait(false);
            return;
        }
        for (var again = false; ; again = true)
        {
            await WaitAsync(request).ConfigureAwait(false);
            if (RelayAnswer.EmptyList(message, _absentLists) is { } list)
            {
                await _writer.WriteAsync(list, request.Token).ConfigureAwait(false);
                return;
            }
            try
            {
                await _upstream.SendAsync(request).ConfigureAwait(false);
                _wasAnswered = true;
                return;
            }
            catch (McpAuthException e) when (!again && CredentialFailure.IsIt(e) && MayAsk)
            {
                // The server told its name to anyone, and wants a credential for the rest.
                Close(null);
            }
        }
    }

    /// <summary>Keeps a notification or a batch without requests if the server cannot have it yet.</summary>
    /// <returns>Whether it was kept.</returns>
    public bool Hold(Message message)
    {
        lock (_gate)
        {
            if (!_isClosed || _promise is null)
            {
                return false;
            }
            if (message.Method == "notifications/initialized")
            {
                _initialized = message;
                BeginOpening();
            }
            else if (_held.Count < MaxHeld)
            {
                _held.Add(message);
            }
            return true;
        }
    }

    /// <summary>Takes the answer of the client to a question of the relay.</summary>
    /// <returns>Whether it is one.</returns>
    public bool TakeAnswer(Message response)
    {
        if (response.Kind != MessageKind.Response || !response.IdKey.StartsWith('"' + ElicitationId, StringComparison.Ordinal))
        {
            return false;
        }
        lock (_gate)
        {
            if (_question is { } question && response.IdKey == '"' + question.Id)
            {
                question.Answer.TrySetResult(Elicitation.IsAccepted(response));
            }
        }
        return true;
    }

    private async Task InitializeAsync(PendingRequest request)
    {
        _opening?.Cancel();
        lock (_gate)
        {
            (_isClosed, _client, _promise, _initialized) = (false, request.Message, null, null);
            _absentLists.Clear();
        }
        try
        {
            _wasAnswered |= await _initialize.SendAsync(request, isHidden: false).ConfigureAwait(false) is { IsError: false };
        }
        catch (McpAuthException e) when (CredentialFailure.IsIt(e) && MayAsk)
        {
            var answer = (_options.Memory?.Read() ?? RememberedServer.Unknown).Answer(request.Message, _watch.Server);
            Close(ServerPromise.Read(Message.Parse(answer)));
            await _writer.WriteAsync(answer, request.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Holds messages back until there is a credential.</summary>
    /// <param name="promise">What the client was told in place of the server; null if the server answered <c>initialize</c> itself.</param>
    private void Close(ServerPromise? promise)
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }
            _watch.Broker.NoteRefusal();
            (_isClosed, _promise, _refusal) = (true, promise, null);
            _version = promise?.Version ?? _client?.ProtocolVersion ?? "";
            _failedLists.Clear();
            _held.Clear();
            if (promise is null)
            {
                BeginOpening();
            }
        }
    }

    private void BeginOpening()
    {
        if (_opening is { IsCancellationRequested: false } && _hasAsked)
        {
            return;
        }
        _hasAsked = true;
        _opening = CancellationTokenSource.CreateLinkedTokenSource(_upstream.Ends);
        var token = _opening.Token;
        _ = Task.Run(() => OpenAsync(token), CancellationToken.None);
    }

    private async Task WaitAsync(PendingRequest request)
    {
        var began = _options.Time.GetTimestamp();
        try
        {
            while (true)
            {
                Task changed;
                lock (_gate)
                {
                    if (!_isClosed)
                    {
                        return;
                    }
                    if (_refusal is not null)
                    {
                        throw new RequestFailedException(_refusal);
                    }
                    changed = _changed.Task;
                }
                var left = _options.SignInTimeout - _options.Time.GetElapsedTime(began);
                if (left <= TimeSpan.Zero)
                {
                    throw new RequestFailedException(_watch.TimedOut(_options.SignInTimeout));
                }
                await Task.WhenAny(changed, Task.Delay(left, _options.Time, request.Token)).ConfigureAwait(false);
                request.Token.ThrowIfCancellationRequested();
            }
        }
        catch (Exception) when (RelayAnswer.ListOf(request.Message) is { } list)
        {
            // The client asks again if it is told that the list has changed.
            lock (_gate)
            {
                _failedLists.Add(list);
            }
            throw;
        }
    }

    /// <summary>Asks the person once, and opens the gate when there is a credential, from this sign-in or another.</summary>
    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        try
        {
            var isAsked = false;
            var retry = TimeSpan.FromSeconds(1);
            while (true)
            {
                if (_watch.Broker.HasNewCredential())
                {
                    if (await TryOpenAsync(cancellationToken).ConfigureAwait(false))
                    {
                        return;
                    }
                    await Task.Delay(retry, _options.Time, cancellationToken).ConfigureAwait(false);
                    retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
                }
                else if (!isAsked && await TryAskAsync(cancellationToken).ConfigureAwait(false))
                {
                    isAsked = true;
                }
                else
                {
                    await _watch.PauseAsync(cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The relay ends, or the client began again.
        }
    }

    /// <summary>Asks the person, unless another relay does.</summary>
    /// <returns>Whether that is over.</returns>
    private async Task<bool> TryAskAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (_watch.Broker.HasEndedElsewhere())
            {
                Refuse(_watch.EndedElsewhere());
                return true;
            }
            if (_watch.Broker.TryBegin() is not { } attempt)
            {
                return false;
            }
            using (attempt)
            {
                await AskAsync(attempt, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (McpAuthException e)
        {
            Refuse(_upstream.Explain(e)!);
        }
        return true;
    }

    private async Task AskAsync(ISignInAttempt attempt, CancellationToken cancellationToken)
    {
        var mode = _client is null ? ElicitationMode.None : Elicitation.ModeOf(_client, _version);
        if (mode != ElicitationMode.Url && !_watch.Broker.HasDesktop)
        {
            Refuse(_watch.NoBrowser());
            return;
        }
        var url = mode == ElicitationMode.Url ? await attempt.StartAsync(cancellationToken).ConfigureAwait(false) : null;
        string? question = null;
        if (mode == ElicitationMode.Form || url is not null)
        {
            question = ElicitationId + ++_questions;
            if (await AskClientAsync(question, url, attempt, cancellationToken).ConfigureAwait(false) is not { } isAccepted)
            {
                return;
            }
            if (!isAccepted)
            {
                Refuse(_watch.Declined());
                return;
            }
        }
        if (url is not null)
        {
            attempt.Approve();
        }
        else if (mode != ElicitationMode.Url)
        {
            attempt.StartInBrowser();
        }
        if (await _watch.WaitAsync(attempt, cancellationToken).ConfigureAwait(false) is { } failure)
        {
            Refuse(failure);
        }
        else if (url is not null)
        {
            await _writer.WriteAsync(Elicitation.CreateComplete(question!), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <returns>Whether the user agreed; null if there is a credential meanwhile, or if the sign-in has failed.</returns>
    private async Task<bool?> AskClientAsync(string id, Uri? url, ISignInAttempt attempt, CancellationToken cancellationToken)
    {
        var answer = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            _question = (id, answer);
        }
        await _writer.WriteAsync(Elicitation.Create(id, _watch.Server, url), cancellationToken).ConfigureAwait(false);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watching = url is null ? _watch.WaitForOthersAsync(TimeSpan.MaxValue, end.Token) : _watch.WaitAsync(attempt, end.Token);
        var first = await Task.WhenAny(answer.Task, watching).ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        if (first == answer.Task)
        {
            return await answer.Task.ConfigureAwait(false);
        }
        await _writer.WriteAsync(RelayNotification.Cancelled(System.Text.Encoding.UTF8.GetBytes($"\"{id}\""), "The sign-in has ended."), cancellationToken)
            .ConfigureAwait(false);
        if (await watching.ConfigureAwait(false) is { } failure)
        {
            Refuse(failure);
        }
        return null;
    }

    /// <summary>Begins the session with the server, and lets messages pass.</summary>
    /// <returns>Whether that is over; false to try it again.</returns>
    private async Task<bool> TryOpenAsync(CancellationToken cancellationToken)
    {
        if (_promise is null)
        {
            Open();
            return true;
        }
        Message? answer;
        try
        {
            using var request = new PendingRequest(_client!, cancellationToken);
            answer = await _initialize.SendAsync(request, isHidden: true).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (CredentialFailure.IsIt(e))
        {
            _watch.Broker.NoteRefusal();
            Refuse(_upstream.Explain(e)!);
            return false;
        }
        catch (Exception e) when (e is RequestFailedException || _upstream.Explain(e) is not null)
        {
            Refuse(e is RequestFailedException failed ? failed.Failure : _upstream.Explain(e)!);
            return false;
        }
        if (answer is null || ServerPromise.Read(answer) is not { } promise || promise.Version != _promise.Version)
        {
            Refuse(new RelayFailure(409, nameof(ErrorReason.ProtocolViolation), answer is { IsError: false }
                ? $"'{_watch.Server}' does not speak the version of MCP that it spoke last time. Reconnect."
                : $"'{_watch.Server}' refused to begin a session. Reconnect."));
            return true;
        }
        await BeginSessionAsync(cancellationToken).ConfigureAwait(false);
        var changed = Reconcile(_promise, promise);
        Open();
        foreach (var list in changed)
        {
            await _writer.WriteAsync(RelayNotification.ListChanged(list), cancellationToken).ConfigureAwait(false);
        }
        return true;
    }

    /// <summary>Sends the notifications that were held back.</summary>
    private async Task BeginSessionAsync(CancellationToken cancellationToken)
    {
        List<Message> held;
        lock (_gate)
        {
            held = [_initialized!, .. _held];
            _held.Clear();
        }
        foreach (var message in held)
        {
            try
            {
                await _upstream.NotifyAsync(message, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is RequestFailedException || _upstream.Explain(e) is not null)
            {
                _options.Log?.Invoke($"a notification was not sent: {e.GetType().Name}");
            }
        }
    }

    /// <summary>Notes the lists that the client was told of and that the server does not have.</summary>
    /// <returns>The lists that the client should read again.</returns>
    private List<string> Reconcile(ServerPromise told, ServerPromise real)
    {
        lock (_gate)
        {
            _absentLists.UnionWith(told.OfferedLists.Except(real.OfferedLists));
            return [.. told.ChangingLists.Where(list => _failedLists.Contains(list) || _absentLists.Contains(list))];
        }
    }

    private void Open()
    {
        lock (_gate)
        {
            (_isClosed, _refusal) = (false, null);
            Change();
        }
    }

    /// <summary>Fails the requests that wait, and those that come until there is a credential.</summary>
    private void Refuse(RelayFailure failure)
    {
        lock (_gate)
        {
            _refusal = failure;
            Change();
        }
    }

    private void Change()
    {
        _changed.TrySetResult();
        _changed = NewSource();
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}

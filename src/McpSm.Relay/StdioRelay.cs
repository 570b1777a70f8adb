using System.Collections.Concurrent;
using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Relay.Channels;
using McpSm.Relay.Http;
using McpSm.Relay.Messages;
using McpSm.Relay.SignIn;
using McpSm.Relay.Tools;

namespace McpSm.Relay;

/// <summary>
/// An MCP server on standard streams that forwards every message to a remote server. Messages pass as bytes. The era of the protocol is
/// decided for each message.
/// </summary>
public sealed class StdioRelay : IDisposable
{
    private static readonly TimeSpan OrderLimit = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(1);

    // With the drain and the start of the exit, a relay ends within two seconds.
    private static readonly TimeSpan EndLimit = TimeSpan.FromMilliseconds(700);
    private static readonly TimeSpan CancelLimit = TimeSpan.FromMilliseconds(100);

    private readonly McpServer _server;
    private readonly Func<McpTransport, HttpMessageInvoker> _connect;
    private readonly Func<McpAuthException, string?> _command;
    private readonly RelayOptions _options;
    private readonly LineReader _input;
    private readonly MessageWriter _writer;
    private readonly CancellationTokenSource _ends = new();
    private readonly ConcurrentDictionary<string, PendingRequest> _pending = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, bool> _running = [];
    private readonly StatelessChannel _stateless;
    private readonly InitializeExchange _initialize;
    private readonly SignInGate? _gate;
    private IServerChannel _stateful;
    private Task _notifications = Task.CompletedTask;
    private Task _initialized = Task.CompletedTask;
    private bool _mayFallBack;
    private bool _isStateless;
    private int _exitCode;

    /// <param name="server">The server.</param>
    /// <param name="input">The messages of the client, one a line.</param>
    /// <param name="output">The messages for the client, one a line.</param>
    /// <param name="connect">Gives what sends signed requests for a transport.</param>
    /// <param name="command">The next command for a person after a failure, or null.</param>
    /// <param name="options">How the relay works; null for the defaults.</param>
    public StdioRelay(
        McpServer server, Stream input, Stream output, Func<McpTransport, HttpMessageInvoker> connect, Func<McpAuthException, string?> command,
        RelayOptions? options = null)
    {
        (_server, _connect, _command, _options) = (server, connect, command, options ?? new RelayOptions());
        _input = new LineReader(input, _options.MaxClientMessage);
        _writer = new MessageWriter(output, _options.Tools);
        var connection = new ServerConnection(connect(server.Transport), server, _options);
        _stateless = new StatelessChannel(connection, server.Uri, _writer);
        _stateful = server.Transport == McpTransport.Sse ? new EventSourceChannel(connection, server.Uri, _writer, _ends.Token)
            : new StreamableHttpChannel(connection, server.Uri, _writer, EndAsync, _ends.Token);
        _mayFallBack = _options.MayFallBack ?? server.Transport != McpTransport.Sse;
        _initialize = new InitializeExchange(_writer, SendStatefulAsync, _options.Memory);
        _gate = _options.SignIn is { } broker ? CreateGate(broker) : null;
    }

    /// <summary>Relays until the client closes its end, no longer reads, or the operation is cancelled.</summary>
    /// <returns>0; 1 if the server came back as another one than the client knows.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _writer.Closed, _ends.Token);
        try
        {
            // A blocked read of standard input does not notice that it was cancelled.
            while (await _input.ReadAsync(end.Token).AsTask().WaitAsync(end.Token).ConfigureAwait(false) is { } line)
            {
                await AcceptAsync(line).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The client is gone, or the process was asked to end.
        }
        catch (IOException e)
        {
            _options.Log?.Invoke($"standard input cannot be read: {e.GetType().Name}");
        }
        await EndAsync().ConfigureAwait(false);
        return _exitCode;
    }

    public void Dispose()
    {
        _ends.Cancel();
        _writer.Dispose();
        _ends.Dispose();
    }

    private async Task AcceptAsync(Line line)
    {
        if (line.IsTooLong)
        {
            await RefuseAsync(line.Id, new RelayFailure(413, nameof(ErrorReason.InvalidValue),
                $"A message of the client is larger than {_options.MaxClientMessage / 1024 / 1024} MiB.")).ConfigureAwait(false);
            return;
        }
        if (line.Bytes.Span.Trim(" \t"u8).IsEmpty)
        {
            return;
        }
        if (await FilterAsync(Message.Parse(line.Bytes)).ConfigureAwait(false) is not { } message)
        {
            return;
        }
        switch (message.Kind)
        {
            case MessageKind.Invalid:
                await RefuseAsync(message.Id, new RelayFailure(400, nameof(ErrorReason.InvalidValue), "A message of the client is not JSON-RPC 2.0 in UTF-8."))
                    .ConfigureAwait(false);
                break;
            case MessageKind.Request:
                Start(message);
                break;
            case MessageKind.Batch when message.Members.Any(member => member is { Kind: MessageKind.Request, Method: "initialize" }):
                await _writer.WriteAsync(ErrorMessage.CreateBatch(message.Members.Where(member => member.Kind == MessageKind.Request),
                    new RelayFailure(400, nameof(ErrorReason.InvalidValue), "'initialize' must not be part of a batch.")), _ends.Token).ConfigureAwait(false);
                break;
            case MessageKind.Batch when message.Members.Any(member => member.Kind == MessageKind.Request):
                Start(message);
                break;
            case MessageKind.Notification when message.Method == "notifications/cancelled"
                && _pending.TryGetValue(Message.KeyOf(message.RequestId), out var request):
                Cancel(request, message);
                break;
            default:
                Notify(message);
                break;
        }
    }

    /// <summary>Answers calls of tools that are left out.</summary>
    /// <returns>The message without those calls; null if nothing is left.</returns>
    private async Task<Message?> FilterAsync(Message message)
    {
        if (_options.Tools is not { } tools)
        {
            return message;
        }
        var refused = (message.Kind == MessageKind.Batch ? message.Members : [message]).Where(tools.Refuses).ToList();
        var requests = refused.Where(call => call.Kind == MessageKind.Request).ToList();
        if (message.Kind == MessageKind.Batch && requests.Count > 0)
        {
            await _writer.WriteAsync(ErrorMessage.CreateBatch(requests, call => ToolFilter.Refusal(call, _server.Name)), _ends.Token).ConfigureAwait(false);
        }
        else if (requests.Count > 0)
        {
            await RefuseAsync(message.Id, ToolFilter.Refusal(message, _server.Name)).ConfigureAwait(false);
        }
        var rest = refused.Count == 0 ? message : message.Kind == MessageKind.Batch ? tools.Without(message) : null;
        if (rest is not null)
        {
            tools.Note(rest);
        }
        return rest;
    }

    private async Task RefuseAsync(ReadOnlyMemory<byte> id, RelayFailure failure)
    {
        if (id.IsEmpty)
        {
            _options.Warn?.Invoke(failure.Text);
            return;
        }
        await _writer.WriteAsync(ErrorMessage.Create(id, failure), _ends.Token).ConfigureAwait(false);
    }

    private void Start(Message message)
    {
        _isStateless = message.IsStateless;
        var request = new PendingRequest(message, _ends.Token);
        _pending[message.IdKey] = request;
        if (LimitOf(message) is { } limit)
        {
            request.LimitTo(limit, _options.Time);
        }
        var isInitialize = message is { Method: "initialize", IsStateless: false };
        var (before, ready) = (_notifications, _initialized);
        var task = Task.Run(() => ExchangeAsync(request, before, isInitialize || message.Method == "ping" || message.IsStateless ? Task.CompletedTask : ready));
        if (isInitialize)
        {
            _initialized = task;
        }
        Track(task);
    }

    /// <summary>How long a request may take; null for no limit. A subscription is open for as long as the client wants it.</summary>
    private TimeSpan? LimitOf(Message request) => request.Method switch
    {
        "initialize" or "server/discover" => _options.InitializeTimeout ?? _options.RequestTimeout,
        "subscriptions/listen" => null,
        _ => _options.RequestTimeout,
    };

    private void Track(Task task)
    {
        _running[task] = true;
        _ = task.ContinueWith(ended => _running.TryRemove(ended, out _), CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <param name="request">The request.</param>
    /// <param name="before">The notifications that the client sent before: the request waits for them, but not long.</param>
    /// <param name="ready">The answer to <c>initialize</c>: nothing goes to the server before it.</param>
    private async Task ExchangeAsync(PendingRequest request, Task before, Task ready)
    {
        try
        {
            await ready.WaitAsync(request.Token).ConfigureAwait(false);
            await before.WaitAsync(OrderLimit, _options.Time, request.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            request.Token.ThrowIfCancellationRequested();
            await (_gate is null ? SendAsync(request) : _gate.SendAsync(request)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (request is { HasTimedOut: true, IsCancelled: false } && !_ends.IsCancellationRequested)
        {
            await TimeOutAsync(request).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (request.Token.IsCancellationRequested || _writer.Closed.IsCancellationRequested)
        {
            // The client cancelled the request, or is gone.
        }
        catch (ServerChangedException e)
        {
            await EndAsync(e).ConfigureAwait(false);
        }
        catch (RequestFailedException e)
        {
            await FailAsync(request, e.Failure, e.Unanswered).ConfigureAwait(false);
        }
        catch (Exception e) when (Explain(e) is { } failure)
        {
            await FailAsync(request, failure, null).ConfigureAwait(false);
        }
        finally
        {
            _pending.TryRemove(new(request.Message.IdKey, request));
            // A cancellation that waits for the body must not wait for one that was never sent.
            request.Written.TrySetCanceled(CancellationToken.None);
            request.Dispose();
        }
    }

    /// <summary>Tells the client that a request took too long, and the server that its answer is no longer needed (MCP lifecycle, Timeouts).</summary>
    private async Task TimeOutAsync(PendingRequest request)
    {
        var message = request.Message;
        await FailAsync(request, new RelayFailure(504, nameof(ErrorReason.ServerUnreachable),
            $"'{_server.Name}' did not answer within {LimitOf(message)?.TotalSeconds:0} seconds."), null).ConfigureAwait(false);
        // Nothing cancels 'initialize', and closing the stream has cancelled a request of a stateless server.
        if (message is { IsStateless: false, Kind: MessageKind.Request } && message.Method != "initialize" && request.Written.Task.IsCompletedSuccessfully)
        {
            Notify(Message.Parse(RelayNotification.Cancelled(message.Id, "The request took too long.")));
        }
    }

    private SignInGate CreateGate(ISignInBroker broker)
    {
        var command = _command(new McpAuthException(ErrorReason.AuthenticationRequired, "") { Server = _server.Name });
        var upstream = new Upstream(SendAsync, NotifyStatefulAsync, Explain, _ends.Token);
        return new SignInGate(new SignInWatch(broker, _server.Name, command, _options), _options, _writer, _initialize, upstream);
    }

    // The channel may change: a server that speaks no Streamable HTTP gets another.
    private Task NotifyStatefulAsync(Message message, CancellationToken cancellationToken) => _stateful.SendNotificationAsync(message, cancellationToken);

    private Task SendAsync(PendingRequest request)
    {
        if (request.Message.IsStateless)
        {
            return _stateless.SendRequestAsync(request);
        }
        return request.Message is { Kind: MessageKind.Request, Method: "initialize" }
            ? _initialize.SendAsync(request, isHidden: false)
            : SendStatefulAsync(request);
    }

    private async Task SendStatefulAsync(PendingRequest request)
    {
        if (_mayFallBack && _stateful is EventSourceChannel events)
        {
            _mayFallBack = false;
            await SendFirstOverEventsAsync(events, request).ConfigureAwait(false);
            return;
        }
        if (!_mayFallBack || _stateful is not StreamableHttpChannel streamable)
        {
            await _stateful.SendRequestAsync(request).ConfigureAwait(false);
            return;
        }
        var isAnswered = await streamable.TrySendRequestAsync(request, mayFallBack: true).ConfigureAwait(false);
        // A request that failed, for example without a credential, says nothing about the transport.
        _mayFallBack = false;
        if (isAnswered)
        {
            return;
        }
        var fallback = new EventSourceChannel(new ServerConnection(_connect(McpTransport.Sse), _server, _options), _server.Uri, _writer, _ends.Token);
        try
        {
            await fallback.ConnectAsync(request.Token).ConfigureAwait(false);
        }
        catch (RequestFailedException)
        {
            // The answer over the first transport is the one that explains.
            await streamable.SendRequestAsync(request).ConfigureAwait(false);
            return;
        }
        _stateful = fallback;
        await fallback.SendRequestAsync(request).ConfigureAwait(false);
    }

    /// <summary>Sends the first request of a client over HTTP+SSE, and over Streamable HTTP if the server does not speak the former.</summary>
    private async Task SendFirstOverEventsAsync(EventSourceChannel events, PendingRequest request)
    {
        try
        {
            await events.ConnectAsync(request.Token).ConfigureAwait(false);
        }
        catch (RequestFailedException)
        {
            var fallback = new StreamableHttpChannel(new ServerConnection(_connect(McpTransport.Http), _server, _options), _server.Uri,
                _writer, EndAsync, _ends.Token);
            if (!await fallback.TrySendRequestAsync(request, mayFallBack: true).ConfigureAwait(false))
            {
                // The answer over the first transport is the one that explains.
                throw;
            }
            _stateful = fallback;
            return;
        }
        await events.SendRequestAsync(request).ConfigureAwait(false);
    }

    private void Cancel(PendingRequest request, Message notification)
    {
        if (!request.Message.IsStateless && !request.Written.Task.IsCompleted && request.Message.Method != "initialize"
            && (!_initialized.IsCompleted || _gate?.IsClosed == true))
        {
            // It was not sent, so the server need not know.
            request.Cancel();
            return;
        }
        IServerChannel channel = request.Message.IsStateless ? _stateless : _stateful;
        Enqueue(() => channel.CancelAsync(request, notification, request.Token));
    }

    private void Notify(Message message)
    {
        if (_gate?.TakeAnswer(message) == true)
        {
            return;
        }
        var ready = _initialized;
        // A response never tells its era, and a notification need not.
        var isStateless = message.IsStateless || _isStateless;
        if (isStateless && message.Method == "notifications/cancelled")
        {
            // The request has ended. This revision cancels over HTTP by closing a stream.
            return;
        }
        Enqueue(async () =>
        {
            await ready.WaitAsync(_ends.Token).ConfigureAwait(false);
            if (!isStateless && _gate?.Hold(message) == true)
            {
                return;
            }
            await (isStateless ? _stateless : _stateful).SendNotificationAsync(message, _ends.Token).ConfigureAwait(false);
        });
    }

    /// <summary>Sends notifications and responses in the order in which the client wrote them.</summary>
    private void Enqueue(Func<Task> send)
    {
        var before = _notifications;
        _notifications = Task.Run(async () =>
        {
            await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await send().ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // The relay ends, or the request that was to be cancelled has ended.
            }
            catch (ServerChangedException e)
            {
                await EndAsync(e).ConfigureAwait(false);
            }
            catch (Exception e) when (e is RequestFailedException || Explain(e) is not null)
            {
                _options.Log?.Invoke($"a notification was not sent: {Explain(e)?.Text ?? e.Message}");
            }
        });
        Track(_notifications);
    }

    /// <summary>Ends the relay with an error for each open request, because the server is not what the client knows.</summary>
    private async Task EndAsync(ServerChangedException e)
    {
        _exitCode = 1;
        var failure = new RelayFailure(409, nameof(ErrorReason.ProtocolViolation), e.Message);
        foreach (var (key, request) in _pending)
        {
            if (_pending.TryRemove(new(key, request)))
            {
                await FailAsync(request, failure, null).ConfigureAwait(false);
                request.Cancel();
            }
        }
        await _ends.CancelAsync().ConfigureAwait(false);
    }

    private async Task FailAsync(PendingRequest request, RelayFailure failure, IReadOnlySet<string>? unanswered)
    {
        if (request.IsCancelled)
        {
            return;
        }
        try
        {
            var open = request.Message.Members.Where(member => member.Kind == MessageKind.Request && unanswered?.Contains(member.IdKey) != false);
            var error = request.Message.Kind == MessageKind.Batch
                ? ErrorMessage.CreateBatch(open, failure)
                : ErrorMessage.Create(request.Message.Id, failure);
            await _writer.WriteAsync(error, CancellationToken.None).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The client is gone.
        }
    }

    private RelayFailure? Explain(Exception e) => e switch
    {
        McpAuthException auth =>
            new RelayFailure(auth.StatusCode is > 0 and var status ? status : CodeOf(auth.Reason), ErrorId.Of(auth.Reason), Explain(auth), _command(auth)),
        MessageTooLargeException large => new RelayFailure(502, nameof(ErrorReason.ProtocolViolation), large.Message),
        // JSON that passes as bytes can still be too deep, or hold half a surrogate pair, if a part of it must be read.
        JsonException or InvalidOperationException =>
            new RelayFailure(502, nameof(ErrorReason.ProtocolViolation), $"'{_server.Name}' sent a message that cannot be read."),
        HttpRequestException or IOException => new RelayFailure(503, nameof(ErrorReason.ServerUnreachable), $"'{_server.Name}' cannot be reached."),
        _ => null,
    };

    private string Explain(McpAuthException e) =>
        _command(e) is { } command && e.Reason is ErrorReason.AuthenticationRequired or ErrorReason.InteractionRequired
            or ErrorReason.RefreshTokenRejected or ErrorReason.TokenRejected or ErrorReason.InsufficientScope
            ? $"{e.Message} Run '{command}', then reconnect."
            : e.Message;

    private static int CodeOf(ErrorReason reason) => reason switch
    {
        ErrorReason.AuthenticationRequired or ErrorReason.RefreshTokenRejected or ErrorReason.TokenRejected or ErrorReason.InteractionRequired => 401,
        ErrorReason.InsufficientScope or ErrorReason.AuthorizationDenied => 403,
        ErrorReason.ServerUnreachable => 503,
        _ => 500,
    };

    /// <summary>Waits for the answers to what was read, ends the session, and cancels the rest.</summary>
    private async Task EndAsync()
    {
        // Without a reader, answers are not worth waiting for.
        await Task.WhenAny(Task.WhenAll(_running.Keys), Task.Delay(DrainLimit, _options.Time, _writer.Closed)).ConfigureAwait(false);
        using var limit = new CancellationTokenSource(EndLimit, _options.Time);
        try
        {
            await _stateful.EndAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException || Explain(e) is not null)
        {
            _options.Log?.Invoke($"the session was not ended: {e.GetType().Name}");
        }
        await _ends.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_running.Keys).WaitAsync(CancelLimit, _options.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}

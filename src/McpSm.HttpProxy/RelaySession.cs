using System.Collections.Concurrent;
using System.IO.Pipelines;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Relay;
using McpSm.Relay.Messages;
using Microsoft.AspNetCore.Http;

namespace McpSm.HttpProxy;

/// <summary>One session: a relay on pipes in place of standard streams, whose lines are spread over the requests of one caller.</summary>
internal sealed class RelaySession : IAsyncDisposable
{
    private const string EventStream = "text/event-stream";

    private readonly McpServer _server;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ends = new();
    private readonly Pipe _toRelay = new();
    private readonly Pipe _fromRelay = new();
    private readonly MessageWriter _writer;
    private readonly StdioRelay _relay;
    private readonly Task _running;
    private readonly ConcurrentDictionary<string, CallerStream> _open = new(StringComparer.Ordinal);
    private readonly MessageQueue _waiting = new();
    private readonly Lock _gate = new();
    private readonly List<CallerStream> _listeners = [];
    private int _users;
    private long _lastUsed;

    public RelaySession(string id, McpServer server, HttpProxyOptions options, HttpMessageInvoker http)
    {
        (Id, _server, _time) = (id, server, options.Relay.Time);
        _lastUsed = _time.GetTimestamp();
        _writer = new MessageWriter(_toRelay.Writer.AsStream());
        _relay = new StdioRelay(new McpServer(server) { Transport = McpTransport.Sse }, _toRelay.Reader.AsStream(), _fromRelay.Writer.AsStream(), _ => http,
            e => options.FindCommand(e, server), options.Relay);
        _running = Task.WhenAll(Task.Run(RunAsync), Task.Run(() => ReadAsync(new LineReader(_fromRelay.Reader.AsStream(), options.Relay.MaxServerMessage))));
    }

    public string Id { get; }

    /// <summary>Whether the relay has ended, for example because the server came back as another one.</summary>
    public bool HasEnded => _ends.IsCancellationRequested;

    /// <summary>The time since the last request ended; zero while one runs.</summary>
    public TimeSpan IdleTime => Volatile.Read(ref _users) > 0 ? TimeSpan.Zero : _time.GetElapsedTime(Volatile.Read(ref _lastUsed));

    /// <summary>Sends a request, and returns its answer. All that the server sends besides is left for a stream.</summary>
    /// <exception cref="RefusedException">The session ended.</exception>
    public async Task<Message> AskAsync(Message request, CancellationToken cancellationToken)
    {
        var stream = new CallerStream(acceptsEvents: false, [request.IdKey]);
        using var use = Use(stream, [request.IdKey]);
        await _writer.WriteAsync(request.Bytes, cancellationToken).ConfigureAwait(false);
        return await stream.ReadAsync(cancellationToken).ConfigureAwait(false) ?? throw Ended();
    }

    /// <summary>Answers a POST: with one JSON value, or with a stream if the server sends more before its answer.</summary>
    /// <exception cref="RefusedException">The message is not valid, or the session ended.</exception>
    public async Task AnswerPostAsync(HttpContext context, byte[] body, CancellationToken cancellationToken)
    {
        var message = Message.Parse(body);
        if (message.Kind == MessageKind.Invalid)
        {
            throw Invalid("The body is not JSON-RPC 2.0 in UTF-8.");
        }
        var keys = (message.Kind == MessageKind.Batch ? message.Members : [message]).Where(member => member.Kind == MessageKind.Request)
            .Select(member => member.IdKey).ToList();
        var stream = new CallerStream(Accepts(context.Request), keys);
        using var use = Use(stream, keys);
        await _writer.WriteAsync(body, cancellationToken).ConfigureAwait(false);
        if (keys.Count == 0)
        {
            context.Response.StatusCode = StatusCodes.Status202Accepted;
            return;
        }
        var next = await stream.ReadAsync(cancellationToken).ConfigureAwait(false) ?? throw Ended();
        if (!stream.IsWaiting)
        {
            await ResponseForwarder.WriteAsync(context, RefusedException.FindStatus(next), next.Bytes, cancellationToken).ConfigureAwait(false);
            return;
        }
        await EventWriter.BeginAsync(context.Response, cancellationToken).ConfigureAwait(false);
        await EventWriter.WriteAsync(context.Response, next, cancellationToken).ConfigureAwait(false);
        while (stream.IsWaiting)
        {
            next = await stream.ReadAsync(cancellationToken).ConfigureAwait(false) ?? throw Ended();
            await EventWriter.WriteAsync(context.Response, next, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Answers a GET: a stream of what the server sends by itself, until the session ends.</summary>
    /// <exception cref="RefusedException">The caller does not accept events.</exception>
    public async Task ListenAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (!Accepts(context.Request))
        {
            throw new RefusedException(StatusCodes.Status406NotAcceptable, ErrorReason.InvalidValue, $"The caller must accept {EventStream}.");
        }
        var stream = new CallerStream(acceptsEvents: true, []);
        lock (_gate)
        {
            _listeners.Add(stream);
        }
        using var use = Use(stream, []);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _ends.Token);
        try
        {
            await EventWriter.BeginAsync(context.Response, ended.Token).ConfigureAwait(false);
            while (_waiting.TryTake(out var earlier))
            {
                await EventWriter.WriteAsync(context.Response, earlier, ended.Token).ConfigureAwait(false);
            }
            while (await stream.ReadAsync(ended.Token).ConfigureAwait(false) is { } message)
            {
                await EventWriter.WriteAsync(context.Response, message, ended.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The session ended, and the stream with it.
        }
        finally
        {
            lock (_gate)
            {
                _listeners.Remove(stream);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The end of its input ends the relay.
        await _toRelay.Writer.CompleteAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _relay.Dispose();
    }

    private async Task RunAsync()
    {
        await _relay.RunAsync(CancellationToken.None).ConfigureAwait(false);
        await _fromRelay.Writer.CompleteAsync().ConfigureAwait(false);
        await _toRelay.Reader.CompleteAsync().ConfigureAwait(false);
    }

    private async Task ReadAsync(LineReader lines)
    {
        while (await lines.ReadAsync(CancellationToken.None).ConfigureAwait(false) is { IsTooLong: false } line)
        {
            await DeliverAsync(Message.Parse(line.Bytes)).ConfigureAwait(false);
        }
        await _ends.CancelAsync().ConfigureAwait(false);
        foreach (var stream in _open.Values)
        {
            stream.Complete();
        }
    }

    /// <summary>
    /// Gives an answer to the request that waits for it, and everything else to the stream of the caller, to a request that reads events, or to the
    /// next stream.
    /// </summary>
    private async Task DeliverAsync(Message message)
    {
        var answer = message.Kind == MessageKind.Batch ? message.Members.FirstOrDefault(member => member.Kind == MessageKind.Response)
            : message.Kind == MessageKind.Response ? message : null;
        if (answer is not null)
        {
            if (_open.TryGetValue(answer.IdKey, out var request))
            {
                await request.TryWriteAsync(message, CancellationToken.None).ConfigureAwait(false);
            }
            return;
        }
        while (FindReader() is { } reader)
        {
            if (await reader.TryWriteAsync(message, CancellationToken.None).ConfigureAwait(false))
            {
                return;
            }
        }
        _waiting.Add(message);
    }

    private CallerStream? FindReader()
    {
        lock (_gate)
        {
            // Each message goes to one stream. A caller that lost its stream may open another before the loss is noticed here.
            return _listeners.LastOrDefault(stream => !stream.IsClosed)
                ?? _open.Values.FirstOrDefault(stream => stream is { AcceptsEvents: true, IsClosed: false });
        }
    }

    /// <summary>Counts a request, and registers the answers that it waits for. Dispose the result when it ends.</summary>
    /// <exception cref="RefusedException">Another request with such an id waits.</exception>
    private UseOfSession Use(CallerStream stream, IReadOnlyList<string> keys)
    {
        Interlocked.Increment(ref _users);
        var registered = keys.TakeWhile(key => _open.TryAdd(key, stream)).ToList();
        var use = new UseOfSession(this, stream, registered);
        if (HasEnded)
        {
            stream.Complete();
        }
        if (registered.Count == keys.Count)
        {
            return use;
        }
        use.Dispose();
        throw Invalid("Another request with this id is still waiting for its answer.");
    }

    private static bool Accepts(HttpRequest request) => request.Headers.Accept.Any(value => value is not null
        && (value.Contains(EventStream, StringComparison.OrdinalIgnoreCase) || value.Contains("*/*", StringComparison.Ordinal)));

    private RefusedException Ended() =>
        new(StatusCodes.Status502BadGateway, ErrorReason.ServerUnreachable, $"The session with '{_server.Name}' ended before the answer.");

    private static RefusedException Invalid(string text) => new(StatusCodes.Status400BadRequest, ErrorReason.InvalidValue, text);

    /// <summary>A request of the caller that runs.</summary>
    private sealed class UseOfSession(RelaySession session, CallerStream stream, List<string> keys) : IDisposable
    {
        public void Dispose()
        {
            keys.ForEach(key => session._open.TryRemove(key, out _));
            foreach (var message in stream.Close().Where(message => message.Kind is MessageKind.Request or MessageKind.Notification))
            {
                // Another stream of the caller may be open.
                _ = session.DeliverAsync(message);
            }
            Volatile.Write(ref session._lastUsed, session._time.GetTimestamp());
            Interlocked.Decrement(ref session._users);
        }
    }
}

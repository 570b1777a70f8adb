using System.Net.Http.Headers;
using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Relay.Http;
using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>
/// A server of the HTTP+SSE transport (MCP 2024-11-05): one event stream carries all that the server sends, and names the URL that takes
/// the messages of the client. The stream is the session.
/// </summary>
internal sealed class EventSourceChannel(ServerConnection connection, Uri url, MessageWriter writer, CancellationToken relayEnds) : IServerChannel
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim _connecting = new(1, 1);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, TaskCompletionSource> _open = new(StringComparer.Ordinal);
    private readonly SessionHistory _history = new();
    private readonly ServerRequests _serverRequests = new();
    private Stream? _stream;

    /// <summary>Opens the stream, if it is not open.</summary>
    /// <exception cref="RequestFailedException">The server does not speak this transport.</exception>
    public async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        await _connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_stream is { IsOpen: true } open)
            {
                return open;
            }
            var isReconnect = _stream is not null;
            var stream = _stream = await OpenAsync(cancellationToken).ConfigureAwait(false);
            if (isReconnect && _history.Initialize is { } initialize)
            {
                await InitializeAgainAsync(stream, initialize, cancellationToken).ConfigureAwait(false);
            }
            _ = Task.Run(() => ReopenAsync(stream), CancellationToken.None);
            return stream;
        }
        finally
        {
            _connecting.Release();
        }
    }

    public async Task SendRequestAsync(PendingRequest request)
    {
        var message = request.Message;
        if (message.Method == "initialize")
        {
            _history.Initialize = message;
        }
        var stream = await ConnectAsync(request.Token).ConfigureAwait(false);
        await ExchangeAsync(stream, message, request.Written, request.Token).ConfigureAwait(false);
    }

    public async Task SendNotificationAsync(Message message, CancellationToken cancellationToken)
    {
        if (_serverRequests.ToServer(message) is not { } bytes)
        {
            return;
        }
        if (message.Method == "notifications/initialized")
        {
            _history.Initialized = message.Bytes;
        }
        var stream = await ConnectAsync(cancellationToken).ConfigureAwait(false);
        await PostAsync(stream, bytes, null, cancellationToken).ConfigureAwait(false);
    }

    public async Task CancelAsync(PendingRequest request, Message notification, CancellationToken cancellationToken)
    {
        await request.Written.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await SendNotificationAsync(notification, cancellationToken).ConfigureAwait(false);
    }

    public Task EndAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Posts a request and waits until its answer was written, or the stream is lost.</summary>
    private async Task ExchangeAsync(Stream stream, Message message, TaskCompletionSource? written, CancellationToken cancellationToken)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ids = message.Requests.Select(member => member.IdKey).ToList();
        lock (_gate)
        {
            ids.ForEach(id => _open[id] = answered);
        }
        try
        {
            await PostAsync(stream, message.Bytes, written, cancellationToken).ConfigureAwait(false);
            var lost = stream.Ended;
            if (await Task.WhenAny(answered.Task, lost).WaitAsync(cancellationToken).ConfigureAwait(false) == lost && !answered.Task.IsCompleted)
            {
                throw new RequestFailedException(new RelayFailure(504, nameof(ErrorReason.ServerUnreachable),
                    $"The stream of '{connection.Server}' ended before the answer."));
            }
        }
        finally
        {
            lock (_gate)
            {
                ids.ForEach(id => _open.Remove(id));
            }
        }
        if (message.Kind == MessageKind.Request)
        {
            _history.Add(message);
        }
    }

    private async Task PostAsync(Stream stream, ReadOnlyMemory<byte> json, TaskCompletionSource? written, CancellationToken cancellationToken)
    {
        using var response = await connection.SendAsync(stream.Endpoint,
            to => new HttpRequestMessage(HttpMethod.Post, to) { Content = new MessageContent(json, written) },
            cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw new RequestFailedException(RelayFailure.FromStatus((int)response.StatusCode, connection.Server));
        }
    }

    private async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var response = await connection.SendAsync(url, to =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, to);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            return request;
        }, limit.Token).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode || !AnswerReader.IsEventStream(response))
        {
            var status = (int)response.StatusCode;
            response.Dispose();
            throw new RequestFailedException(RelayFailure.FromStatus(status, connection.Server));
        }
        var endpoint = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = Task.Run(() => ReadAsync(response, endpoint), CancellationToken.None);
        try
        {
            return new Stream(await endpoint.Task.WaitAsync(ConnectTimeout, connection.Options.Time, cancellationToken).ConfigureAwait(false), ended);
        }
        catch (TimeoutException)
        {
            response.Dispose();
            throw new RequestFailedException(new RelayFailure(504, nameof(ErrorReason.ServerUnreachable),
                $"'{connection.Server}' opened a stream and did not name the URL for messages within {ConnectTimeout.TotalSeconds:0} seconds."));
        }
    }

    /// <summary>Opens the next stream after one that ended, because the server may have messages while the client is idle.</summary>
    private async Task ReopenAsync(Stream ended)
    {
        await ended.Ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        for (var delay = FirstRetry; !relayEnds.IsCancellationRequested; delay = delay * 2 < LastRetry ? delay * 2 : LastRetry)
        {
            await Task.Delay(delay, connection.Options.Time, relayEnds).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (relayEnds.IsCancellationRequested)
            {
                return;
            }
            try
            {
                // Does nothing if a request of the client has opened it.
                await ConnectAsync(relayEnds).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or McpAuthException or RequestFailedException)
            {
                connection.Options.Log?.Invoke($"the stream of the server is not open yet: {e.GetType().Name}");
            }
        }
    }

    /// <summary>Reads the stream until it ends, or the machine slept.</summary>
    private async Task ReadAsync(HttpResponseMessage response, TaskCompletionSource<Uri> endpoint)
    {
        using var sleep = new SleepWatch(connection.Options.Time);
        using var awake = CancellationTokenSource.CreateLinkedTokenSource(relayEnds, sleep.NextSleep);
        try
        {
            var body = await response.Content.ReadAsStreamAsync(relayEnds).ConfigureAwait(false);
            await using var closing = body.ConfigureAwait(false);
            await foreach (var (type, data) in new EventReader(connection.Options.MaxServerMessage).ReadAsync(body, awake.Token).ConfigureAwait(false))
            {
                if (type == "endpoint")
                {
                    endpoint.TrySetResult(ReadEndpoint(System.Text.Encoding.UTF8.GetString(data)));
                }
                else if (type == "message")
                {
                    await DeliverAsync(Message.Parse(data)).ConfigureAwait(false);
                }
            }
            endpoint.TrySetException(new RequestFailedException(RelayFailure.FromStatus((int)response.StatusCode, connection.Server)));
        }
        catch (RequestFailedException e)
        {
            endpoint.TrySetException(e);
        }
        catch (Exception e) when (e is IOException or HttpRequestException or OperationCanceledException or MessageTooLargeException or JsonException)
        {
            connection.Options.Log?.Invoke($"the stream of the server broke: {e.GetType().Name}");
            endpoint.TrySetException(new RequestFailedException(new RelayFailure(502, nameof(ErrorReason.ServerUnreachable),
                $"The stream of '{connection.Server}' broke.")));
        }
        finally
        {
            response.Dispose();
        }
    }

    /// <exception cref="RequestFailedException">The URL leads to another origin.</exception>
    private Uri ReadEndpoint(string text) => Uri.TryCreate(url, text, out var target)
        && Uri.Compare(url, target, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0 ? target
        : throw new RequestFailedException(new RelayFailure(502, nameof(ErrorReason.UnsafeEndpoint),
            $"'{connection.Server}' names a URL for messages on another origin."));

    private async Task DeliverAsync(Message message)
    {
        if (message.Kind == MessageKind.Invalid)
        {
            return;
        }
        var answered = new List<TaskCompletionSource>();
        foreach (var member in message.Kind == MessageKind.Batch ? message.Members : [message])
        {
            if (member.Kind == MessageKind.Response)
            {
                Note(member);
                lock (_gate)
                {
                    if (_open.TryGetValue(member.IdKey, out var waiting))
                    {
                        answered.Add(waiting);
                    }
                }
            }
        }
        if (!IsOwn(message))
        {
            await writer.WriteAsync(_serverRequests.ToClient(message), relayEnds).ConfigureAwait(false);
        }
        answered.ForEach(waiting => waiting.TrySetResult());
    }

    private void Note(Message answer)
    {
        if (_history.Initialize is { } initialize && (answer.IdKey == initialize.IdKey || IsOwn(answer)) && ServerPromise.Read(answer) is { } promise)
        {
            if (_history.Promise is { } before && !before.IsSameAs(promise))
            {
                throw new RequestFailedException(new RelayFailure(409, nameof(ErrorReason.ProtocolViolation),
                    new ServerChangedException(connection.Server).Message));
            }
            _history.Promise = promise;
        }
    }

    /// <summary>Whether a message answers a request of the relay itself.</summary>
    private static bool IsOwn(Message message) => message.Kind == MessageKind.Response && message.IdKey.StartsWith("\"mcpsm-", StringComparison.Ordinal);

    /// <summary>Opens a session on a new stream with the client's own <c>initialize</c>, under an id of the relay.</summary>
    private async Task InitializeAgainAsync(Stream stream, Message initialize, CancellationToken cancellationToken)
    {
        var again = 0;
        await ExchangeAsync(stream, Message.Parse(ResponseId.Set(initialize, NextId())), null, cancellationToken).ConfigureAwait(false);
        await PostAsync(stream, _history.Initialized, null, cancellationToken).ConfigureAwait(false);
        foreach (var request in _history.ToReplay())
        {
            await ExchangeAsync(stream, Message.Parse(ResponseId.Set(request, NextId())), null, cancellationToken).ConfigureAwait(false);
        }
        foreach (var id in _serverRequests.DropAll())
        {
            await writer.WriteAsync(RelayNotification.Cancelled(id, "The session was lost."), cancellationToken).ConfigureAwait(false);
        }
        foreach (var list in _history.Promise?.ChangingLists ?? [])
        {
            await writer.WriteAsync(RelayNotification.ListChanged(list), cancellationToken).ConfigureAwait(false);
        }

        byte[] NextId() => System.Text.Encoding.UTF8.GetBytes($"\"mcpsm-{Guid.NewGuid():N}-{again++}\"");
    }

    /// <summary>An open event stream.</summary>
    /// <param name="Endpoint">The URL that takes messages.</param>
    /// <param name="Ended">Completed when the stream ended.</param>
    internal sealed record Stream(Uri Endpoint, Task Ended)
    {
        public bool IsOpen => !Ended.IsCompleted;
    }
}

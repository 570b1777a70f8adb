using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using McpSm.Core.Errors;
using McpSm.Relay.Http;
using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>
/// A server of MCP 2025-03-26 to 2025-11-25 over Streamable HTTP: it may have a session, streams that can be resumed, and requests of its own.
/// </summary>
internal sealed class StreamableHttpChannel : IServerChannel
{
    private const int MaxResumptions = 20;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    private readonly ServerConnection _connection;
    private readonly Uri _endpoint;
    private readonly MessageWriter _writer;
    private readonly Func<ServerChangedException, Task> _endRelay;
    private readonly CancellationToken _relayEnds;
    private readonly AnswerReader _answers;
    private readonly SessionHistory _history = new();
    private readonly ServerRequests _serverRequests = new();
    private readonly SemaphoreSlim _recovery = new(1, 1);
    private readonly StreamReset _reset = new();
    private volatile Session _session = Session.None;
    private Task? _listening;

    /// <param name="connection">The connection to the server.</param>
    /// <param name="endpoint">The URL of the server.</param>
    /// <param name="writer">Writes to the client.</param>
    /// <param name="endRelay">Ends the relay if the server came back as another one while no request waited.</param>
    /// <param name="relayEnds">Cancelled when the relay ends.</param>
    public StreamableHttpChannel(
        ServerConnection connection, Uri endpoint, MessageWriter writer, Func<ServerChangedException, Task> endRelay, CancellationToken relayEnds)
    {
        (_connection, _endpoint, _writer, _endRelay, _relayEnds) = (connection, endpoint, writer, endRelay, relayEnds);
        _answers = new AnswerReader(connection, writer);
    }

    public Task SendRequestAsync(PendingRequest request) => TrySendRequestAsync(request, mayFallBack: false);

    /// <summary>Sends a request, and writes its answer.</summary>
    /// <param name="request">The request.</param>
    /// <param name="mayFallBack">Whether an answer that no server of this transport gives is not passed on.</param>
    /// <returns>False if the server does not speak this transport; nothing was written then.</returns>
    /// <exception cref="RequestFailedException">There is no answer of the server.</exception>
    public async Task<bool> TrySendRequestAsync(PendingRequest request, bool mayFallBack)
    {
        var message = request.Message;
        var isInitialize = message.Method == "initialize";
        if (isInitialize)
        {
            _history.Initialize = message;
            _session = Session.None;
        }
        for (var again = false; ; again = true)
        {
            var session = _session;
            using var response = await PostAsync(message.Bytes, session, request.Written, request.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode && AnswerReader.IsEventStream(response))
            {
                Open(isInitialize, response);
                await ReadStreamAsync(request, session, response).ConfigureAwait(false);
                return true;
            }
            var body = await _connection.ReadBodyAsync(response, request.Token).ConfigureAwait(false);
            if (!again && IsLost(session, response, body))
            {
                await RecoverAsync(session, request.Token).ConfigureAwait(false);
                continue;
            }
            if (mayFallBack && response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed
                && !Message.Parse(body).IsError)
            {
                return false;
            }
            Open(isInitialize, response);
            Note(message, Message.Parse(body));
            await _answers.WriteBodyAsync(request, response, body).ConfigureAwait(false);
            return true;
        }
    }

    public async Task SendNotificationAsync(Message message, CancellationToken cancellationToken)
    {
        if (_serverRequests.ToServer(message) is not { } bytes)
        {
            _connection.Options.Log?.Invoke("an answer for a session that was lost is dropped");
            return;
        }
        var isInitialized = message.Method == "notifications/initialized";
        if (isInitialized)
        {
            _history.Initialized = message.Bytes;
        }
        for (var again = false; ; again = true)
        {
            var session = _session;
            using var response = await PostAsync(bytes, session, null, cancellationToken).ConfigureAwait(false);
            if (response.IsSuccessStatusCode)
            {
                break;
            }
            var body = await _connection.ReadBodyAsync(response, cancellationToken).ConfigureAwait(false);
            if (again || message.Kind == MessageKind.Response || !IsLost(session, response, body))
            {
                _connection.Options.Log?.Invoke($"the server refused a notification with HTTP status {(int)response.StatusCode}");
                break;
            }
            await RecoverAsync(session, cancellationToken).ConfigureAwait(false);
        }
        if (isInitialized)
        {
            _listening ??= Task.Run(() => ListenAsync(_relayEnds), CancellationToken.None);
        }
    }

    public async Task CancelAsync(PendingRequest request, Message notification, CancellationToken cancellationToken)
    {
        // The server must know the request before it is cancelled. Its answer, if it still comes, is passed on: the client expects that.
        await request.Written.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        await SendNotificationAsync(notification, cancellationToken).ConfigureAwait(false);
    }

    public async Task EndAsync(CancellationToken cancellationToken)
    {
        if (_session is { Id: not null } session)
        {
            using var response = await _connection.SendAsync(_endpoint, url => Create(HttpMethod.Delete, url, session), cancellationToken)
                .ConfigureAwait(false);
        }
    }

    private Task<HttpResponseMessage> PostAsync(ReadOnlyMemory<byte> json, Session session, TaskCompletionSource? written,
        CancellationToken cancellationToken) =>
        _connection.SendAsync(_endpoint, url =>
        {
            var request = Create(HttpMethod.Post, url, session);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            request.Content = new MessageContent(json, written);
            return request;
        }, cancellationToken);

    private static HttpRequestMessage Create(HttpMethod method, Uri url, Session session)
    {
        var request = new HttpRequestMessage(method, url);
        session.Mark(request);
        return request;
    }

    /// <summary>Takes over the session that the answer to <c>initialize</c> begins.</summary>
    private void Open(bool isInitialize, HttpResponseMessage response)
    {
        if (isInitialize && response.IsSuccessStatusCode)
        {
            _session = new Session(SessionId(response), null);
        }
    }

    private static string? SessionId(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Mcp-Session-Id", out var values) ? values.FirstOrDefault() : null;

    /// <summary>Remembers what an answer means for the session.</summary>
    private void Note(Message request, Message answer)
    {
        if (request.Method == "initialize" && ServerPromise.Read(answer) is { } promise)
        {
            _history.Promise = promise;
            _session = _session with { Version = promise.Version };
        }
        else if (answer is { Kind: MessageKind.Response, IsError: false })
        {
            _history.Add(request);
        }
    }

    /// <summary>Reads the stream of a request, and resumes it for as long as the answer is missing.</summary>
    private async Task ReadStreamAsync(PendingRequest request, Session session, HttpResponseMessage first)
    {
        var events = new EventReader(_connection.Options.MaxServerMessage);
        var expected = new ExpectedAnswers(request.Message);
        var delay = FirstRetry;
        var response = first;
        try
        {
            for (var tries = 0; ; tries++)
            {
                if (response is not null)
                {
                    // A server may close the stream as often as it wants. Only streams that cannot be opened count.
                    tries = 0;
                    var last = events.LastId;
                    await _answers.ReadEventsAsync(response, events, expected, DeliverAsync, request.Token).ConfigureAwait(false);
                    delay = events.LastId == last ? delay : FirstRetry;
                }
                if (expected.IsComplete)
                {
                    return;
                }
                if (events.LastId is null || tries >= MaxResumptions)
                {
                    throw Unanswered(request, expected, $"The stream of '{_connection.Server}' ended before the answer.");
                }
                await Task.Delay(events.Retry ?? delay, _connection.Options.Time, request.Token).ConfigureAwait(false);
                delay = delay * 2 < LastRetry ? delay * 2 : LastRetry;
                if (response != first)
                {
                    response?.Dispose();
                }
                response = await ResumeAsync(request, session, events.LastId, expected).ConfigureAwait(false);
            }
        }
        finally
        {
            if (response != first)
            {
                response?.Dispose();
            }
        }
    }

    /// <returns>The stream; null if the server cannot be reached at the moment.</returns>
    private async Task<HttpResponseMessage?> ResumeAsync(PendingRequest request, Session session, string lastId, ExpectedAnswers expected)
    {
        try
        {
            var response = await GetAsync(session, lastId, request.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode && AnswerReader.IsEventStream(response))
            {
                return response;
            }
            var status = (int)response.StatusCode;
            response.Dispose();
            return status >= 500
                ? null
                : throw Unanswered(request, expected, $"'{_connection.Server}' does not resume the stream of the request (HTTP status {status}).");
        }
        catch (HttpRequestException)
        {
            // The server may be restarting.
            return null;
        }
    }

    private static RequestFailedException Unanswered(PendingRequest request, ExpectedAnswers expected, string text) =>
        new(new RelayFailure(504, nameof(ErrorReason.ServerUnreachable), text))
        {
            Unanswered = request.Message.Kind == MessageKind.Batch ? expected.Missing : null,
        };

    private Task<HttpResponseMessage> GetAsync(Session session, string? lastId, CancellationToken cancellationToken) =>
        _connection.SendAsync(_endpoint, url =>
        {
            var request = Create(HttpMethod.Get, url, session);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            if (lastId is not null)
            {
                request.Headers.TryAddWithoutValidation("Last-Event-ID", lastId);
            }
            return request;
        }, cancellationToken);

    /// <summary>Reads what the server sends by itself, for as long as the relay runs.</summary>
    private async Task ListenAsync(CancellationToken cancellationToken)
    {
        var events = new EventReader(_connection.Options.MaxServerMessage);
        var session = _session;
        var delay = FirstRetry;
        using var sleep = new SleepWatch(_connection.Options.Time);
        while (!cancellationToken.IsCancellationRequested)
        {
            using var reset = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _reset.Token, sleep.NextSleep);
            try
            {
                if (_session != session)
                {
                    (session, events) = (_session, new EventReader(_connection.Options.MaxServerMessage));
                }
                using var response = await GetAsync(session, events.LastId, reset.Token).ConfigureAwait(false);
                if (response.IsSuccessStatusCode && AnswerReader.IsEventStream(response))
                {
                    delay = FirstRetry;
                    await _answers.ReadEventsAsync(response, events, ExpectedAnswers.None, DeliverAsync, reset.Token).ConfigureAwait(false);
                }
                else if (IsLost(session, response, await _connection.ReadBodyAsync(response, reset.Token).ConfigureAwait(false)))
                {
                    await RecoverAsync(session, cancellationToken).ConfigureAwait(false);
                    continue;
                }
                else if ((int)response.StatusCode < 500)
                {
                    // 405 says that the server has no such stream. Other refusals would not change either.
                    return;
                }
                await Task.Delay(events.Retry ?? delay, _connection.Options.Time, reset.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (OperationCanceledException) when (reset.IsCancellationRequested)
            {
                _connection.Options.Log?.Invoke("the machine slept or the session was lost; the stream of the server is opened again");
                delay = FirstRetry;
                continue;
            }
            catch (ServerChangedException e)
            {
                await _endRelay(e).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is HttpRequestException or IOException or McpAuthException or MessageTooLargeException
                or RequestFailedException or JsonException)
            {
                _connection.Options.Log?.Invoke($"the stream of the server broke: {e.GetType().Name}");
                await Task.Delay(delay, _connection.Options.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            delay = delay * 2 < LastRetry ? delay * 2 : LastRetry;
        }
    }

    /// <summary>Passes on a message of the server.</summary>
    private async Task DeliverAsync(Message message, CancellationToken cancellationToken)
    {
        if (message.Kind == MessageKind.Invalid)
        {
            _connection.Options.Log?.Invoke("an event that is not a JSON-RPC message is dropped");
            return;
        }
        if (message.ProtocolVersion is not null && _history.Initialize is { } initialize && message.IdKey == initialize.IdKey && _session.Version is null)
        {
            Note(initialize, message);
        }
        await _writer.WriteAsync(_serverRequests.ToClient(message), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether the server no longer knows the session: 404, or as some servers answer, 400 with a body about the session.</summary>
    private static bool IsLost(Session session, HttpResponseMessage response, byte[] body) => session.Id is not null
        && (response.StatusCode == HttpStatusCode.NotFound || (response.StatusCode == HttpStatusCode.BadRequest
            && Encoding.UTF8.GetString(body).Contains("session", StringComparison.OrdinalIgnoreCase)));

    /// <summary>Opens another session in place of a lost one, once for all that wait. The client does not notice.</summary>
    /// <exception cref="RequestFailedException">No session can be opened.</exception>
    /// <exception cref="ServerChangedException">The server is not what the client knows.</exception>
    private async Task RecoverAsync(Session lost, CancellationToken cancellationToken)
    {
        await _recovery.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_session != lost)
            {
                return;
            }
            if (_history.Initialize is not { } initialize)
            {
                throw Lost();
            }
            using var response = await PostAsync(initialize.Bytes, Session.None, null, cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode || await ReadAnswerAsync(response, initialize, cancellationToken).ConfigureAwait(false) is not { } answer
                || ServerPromise.Read(answer) is not { } promise)
            {
                throw Lost();
            }
            if (_history.Promise is { } before && !before.IsSameAs(promise))
            {
                throw new ServerChangedException(_connection.Server);
            }
            var session = new Session(SessionId(response), promise.Version);
            (await PostAsync(_history.Initialized, session, null, cancellationToken).ConfigureAwait(false)).Dispose();
            foreach (var again in _history.ToReplay())
            {
                (await PostAsync(again.Bytes, session, null, cancellationToken).ConfigureAwait(false)).Dispose();
            }
            _session = session;
            // The stream of the lost session may stay open and silent.
            _reset.Reset();
            _connection.Options.Log?.Invoke("the session was lost; another one is open");
            await TellClientAsync(promise, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _recovery.Release();
        }
    }

    /// <summary>Ends the requests of the old session at the client, and tells it that lists may have changed.</summary>
    private async Task TellClientAsync(ServerPromise promise, CancellationToken cancellationToken)
    {
        foreach (var id in _serverRequests.DropAll())
        {
            await _writer.WriteAsync(RelayNotification.Cancelled(id, "The session was lost."), cancellationToken).ConfigureAwait(false);
        }
        foreach (var list in promise.ChangingLists)
        {
            await _writer.WriteAsync(RelayNotification.ListChanged(list), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<Message?> ReadAnswerAsync(HttpResponseMessage response, Message request, CancellationToken cancellationToken)
    {
        if (!AnswerReader.IsEventStream(response))
        {
            return Message.Parse(await _connection.ReadBodyAsync(response, cancellationToken).ConfigureAwait(false));
        }
        var events = new EventReader(_connection.Options.MaxServerMessage);
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var closing = stream.ConfigureAwait(false);
        await foreach (var (type, data) in events.ReadAsync(stream, cancellationToken).ConfigureAwait(false))
        {
            if (type == "message" && Message.Parse(data) is { Kind: MessageKind.Response } answer && answer.IdKey == request.IdKey)
            {
                return answer;
            }
        }
        return null;
    }

    private RequestFailedException Lost() => new(new RelayFailure(404, nameof(ErrorReason.ProtocolViolation),
        $"The session with '{_connection.Server}' was lost, and the server does not open another one. Reconnect."));
}

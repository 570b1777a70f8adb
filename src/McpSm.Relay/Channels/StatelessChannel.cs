using System.Net.Http.Headers;
using McpSm.Core.Errors;
using McpSm.Relay.Http;
using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>
/// A server of MCP 2026-07-28 or later over Streamable HTTP: no session, every request stands for itself, and headers repeat parts of the
/// body (Streamable HTTP, Standard Request Headers).
/// </summary>
internal sealed class StatelessChannel : IServerChannel
{
    private const int MaxRepetitions = 3;
    private static readonly TimeSpan FirstRetry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    private readonly ServerConnection _connection;
    private readonly Uri _endpoint;
    private readonly MessageWriter _writer;
    private readonly AnswerReader _answers;
    private readonly ToolHeaders _tools;
    private volatile string? _version;

    public StatelessChannel(ServerConnection connection, Uri endpoint, MessageWriter writer)
    {
        (_connection, _endpoint, _writer) = (connection, endpoint, writer);
        _answers = new AnswerReader(connection, writer);
        _tools = new ToolHeaders(ListToolsAsync);
    }

    /// <summary>
    /// Sends a request, and writes its answer. If its stream breaks, the request is sent again with another id, if that cannot do anything twice.
    /// </summary>
    public async Task SendRequestAsync(PendingRequest request)
    {
        var message = request.Message;
        _version = message.MetaVersion ?? _version;
        var exchange = new StatelessExchange(request, _tools, _writer)
        {
            Parameters = await _tools.ReadAsync(message, refresh: false, request.Token).ConfigureAwait(false),
        };
        var delay = FirstRetry;
        for (var repetitions = 0; !await TryExchangeAsync(exchange).ConfigureAwait(false) && !exchange.IsEndedByServer; repetitions++)
        {
            if (!exchange.IsSubscription && (repetitions == MaxRepetitions || !_tools.CanRepeat(message)))
            {
                throw new RequestFailedException(new RelayFailure(504, nameof(ErrorReason.ServerUnreachable),
                    $"The stream of '{_connection.Server}' ended before the answer."));
            }
            delay = exchange.HasProgress ? FirstRetry : delay;
            await Task.Delay(exchange.Retry ?? delay, _connection.Options.Time, request.Token).ConfigureAwait(false);
            delay = delay * 2 < LastRetry ? delay * 2 : LastRetry;
            exchange.Repeat();
        }
    }

    public async Task SendNotificationAsync(Message message, CancellationToken cancellationToken)
    {
        if (message.Kind == MessageKind.Response)
        {
            _connection.Options.Log?.Invoke("a response is dropped: a server of MCP 2026-07-28 sends no requests");
            return;
        }
        using var response = await PostAsync(message, [], null, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            _connection.Options.Log?.Invoke($"the server refused a notification with HTTP status {(int)response.StatusCode}");
        }
    }

    /// <summary>Closes the stream of the request, which is how this revision cancels over HTTP.</summary>
    public Task CancelAsync(PendingRequest request, Message notification, CancellationToken cancellationToken)
    {
        request.Cancel();
        return Task.CompletedTask;
    }

    public Task EndAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <returns>False if the connection broke before the answer.</returns>
    private async Task<bool> TryExchangeAsync(StatelessExchange exchange)
    {
        try
        {
            return await ExchangeAsync(exchange).ConfigureAwait(false);
        }
        // A server that restarts refuses connections for a moment. If it refuses the first one, the client learns that at once.
        catch (Exception e) when (e is IOException or HttpRequestException && (exchange.IsRepeated || !IsUnreachable(e)))
        {
            _connection.Options.Log?.Invoke($"a request broke: {e.GetType().Name}");
            return false;
        }
    }

    private static bool IsUnreachable(Exception e) => e is HttpRequestException
    {
        HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
            or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError
    };

    private async Task<bool> ExchangeAsync(StatelessExchange exchange)
    {
        var request = exchange.Request;
        for (var again = false; ; again = true)
        {
            using var response = await PostAsync(exchange.Sent, exchange.Parameters, request.Written, request.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode && AnswerReader.IsEventStream(response))
            {
                var events = new EventReader(_connection.Options.MaxServerMessage);
                var expected = new ExpectedAnswers(exchange.Sent);
                await ReadStreamAsync(exchange, response, events, expected).ConfigureAwait(false);
                exchange.Retry = events.Retry;
                return expected.IsComplete;
            }
            var body = await _connection.ReadBodyAsync(response, request.Token).ConfigureAwait(false);
            if (exchange.IsRepeated && (int)response.StatusCode >= 500 && Message.Parse(body).Kind == MessageKind.Invalid)
            {
                // A gateway answers for a server that restarts.
                return false;
            }
            if (!again && ToolHeaders.IsMismatch(body))
            {
                // The server refused the headers before it ran the tool, so sending the request again cannot run the tool twice.
                exchange.Parameters = await _tools.ReadAsync(request.Message, refresh: true, request.Token).ConfigureAwait(false);
                continue;
            }
            await _answers.WriteBodyAsync(request, response, _tools.Filter(request.Message, body)).ConfigureAwait(false);
            return true;
        }
    }

    private async Task ReadStreamAsync(StatelessExchange exchange, HttpResponseMessage response, EventReader events, ExpectedAnswers expected)
    {
        var request = exchange.Request;
        if (!exchange.IsSubscription)
        {
            await _answers.ReadEventsAsync(response, events, expected, exchange.DeliverAsync, request.Token).ConfigureAwait(false);
            return;
        }
        using var sleep = new SleepWatch(_connection.Options.Time);
        using var awake = CancellationTokenSource.CreateLinkedTokenSource(request.Token, sleep.NextSleep);
        try
        {
            await _answers.ReadEventsAsync(response, events, expected, exchange.DeliverAsync, awake.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!request.Token.IsCancellationRequested)
        {
            _connection.Options.Log?.Invoke("the machine slept; the subscription is opened again");
        }
    }

    private Task<HttpResponseMessage> PostAsync(Message message, IReadOnlyList<(string Name, string Value)> parameters, TaskCompletionSource? written,
        CancellationToken cancellationToken) => _connection.SendAsync(_endpoint, url =>
        {
            var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new MessageContent(message.Bytes, written) };
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            Add(request, "MCP-Protocol-Version", message.MetaVersion ?? _version);
            Add(request, "Mcp-Method", message.Method);
            Add(request, "Mcp-Name", message.Method switch
            {
                "tools/call" or "prompts/get" => message.Name,
                "resources/read" => message.Uri,
                "tasks/get" or "tasks/update" or "tasks/cancel" or "tasks/result" => message.TaskId,
                _ => null,
            });
            foreach (var (name, value) in parameters)
            {
                Add(request, "Mcp-Param-" + name, value);
            }
            return request;
        }, cancellationToken);

    private static void Add(HttpRequestMessage request, string name, string? value)
    {
        if (value is not null)
        {
            request.Headers.TryAddWithoutValidation(name, HeaderText.Encode(value));
        }
    }

    /// <summary>Asks for one page of the tools, for their headers.</summary>
    private async Task<byte[]?> ListToolsAsync(Message list, CancellationToken cancellationToken)
    {
        using var response = await PostAsync(list, [], null, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            return null;
        }
        if (!AnswerReader.IsEventStream(response))
        {
            return await _connection.ReadBodyAsync(response, cancellationToken).ConfigureAwait(false);
        }
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var closing = stream.ConfigureAwait(false);
        await foreach (var (type, data) in new EventReader(_connection.Options.MaxServerMessage).ReadAsync(stream, cancellationToken).ConfigureAwait(false))
        {
            if (type == "message" && Message.Parse(data) is { Kind: MessageKind.Response } answer && answer.IdKey == list.IdKey)
            {
                return data;
            }
        }
        return null;
    }
}

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
    private readonly ServerConnection _connection;
    private readonly Uri _endpoint;
    private readonly AnswerReader _answers;
    private readonly ToolHeaders _tools;

    public StatelessChannel(ServerConnection connection, Uri endpoint, MessageWriter writer)
    {
        (_connection, _endpoint) = (connection, endpoint);
        _answers = new AnswerReader(connection, writer, (message, cancel) => message.Kind == MessageKind.Invalid ? Task.CompletedTask
            : writer.WriteAsync(message.Bytes, cancel));
        _tools = new ToolHeaders(ListToolsAsync);
    }

    public async Task SendRequestAsync(PendingRequest request)
    {
        var message = request.Message;
        var parameters = await _tools.ReadAsync(message, refresh: false, request.Token).ConfigureAwait(false);
        for (var again = false; ; again = true)
        {
            using var response = await PostAsync(message, parameters, request.Written, request.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode && AnswerReader.IsEventStream(response))
            {
                await ReadStreamAsync(request, response).ConfigureAwait(false);
                return;
            }
            var body = await _connection.ReadBodyAsync(response, request.Token).ConfigureAwait(false);
            if (!again && ToolHeaders.IsMismatch(body))
            {
                // The server refused the headers before it ran the tool, so sending the request again cannot run the tool twice.
                parameters = await _tools.ReadAsync(message, refresh: true, request.Token).ConfigureAwait(false);
                continue;
            }
            await _answers.WriteBodyAsync(request, response, _tools.Filter(message, body)).ConfigureAwait(false);
            return;
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

    private async Task ReadStreamAsync(PendingRequest request, HttpResponseMessage response)
    {
        var open = new HashSet<string>(StringComparer.Ordinal) { request.Message.IdKey };
        await _answers.ReadEventsAsync(response, new EventReader(_connection.Options.MaxServerMessage), open, request.Token).ConfigureAwait(false);
        if (open.Count > 0)
        {
            throw new RequestFailedException(new RelayFailure(504, nameof(ErrorReason.ServerUnreachable),
                $"The stream of '{_connection.Server}' ended before the answer."));
        }
    }

    private Task<HttpResponseMessage> PostAsync(Message message, IReadOnlyList<(string Name, string Value)> parameters, TaskCompletionSource? written,
        CancellationToken cancellationToken) => _connection.SendAsync(_endpoint, url =>
        {
            var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new MessageContent(message.Bytes, written) };
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
            Add(request, "MCP-Protocol-Version", message.MetaVersion);
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

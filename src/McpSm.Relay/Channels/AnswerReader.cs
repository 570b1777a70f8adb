using McpSm.Core.Errors;
using McpSm.Relay.Http;
using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>Reads what a server answers to a POST, and passes it to the client.</summary>
internal sealed class AnswerReader(ServerConnection connection, MessageWriter writer)
{
    /// <summary>Passes on a body that is one JSON value.</summary>
    /// <exception cref="RequestFailedException">The body is not a JSON-RPC message.</exception>
    public async Task WriteBodyAsync(PendingRequest request, HttpResponseMessage response, ReadOnlyMemory<byte> body)
    {
        var message = Message.Parse(body);
        if (request.IsCancelled)
        {
            return;
        }
        if (request.Message.Kind == MessageKind.Request && message is { Kind: MessageKind.Response } or { IsError: true })
        {
            // The id is the request's: some servers send errors with null, or without an id.
            await writer.WriteAsync(ResponseId.Set(message, request.Message.Id), request.Token).ConfigureAwait(false);
        }
        else if (response.IsSuccessStatusCode && message.Kind is MessageKind.Response or MessageKind.Batch)
        {
            await writer.WriteAsync(body, request.Token).ConfigureAwait(false);
        }
        else
        {
            throw new RequestFailedException(Explain(response, body));
        }
    }

    /// <summary>Passes on the events of a stream until all answers have come, or the stream ends.</summary>
    /// <param name="response">The response, whose body is a stream of events.</param>
    /// <param name="events">Reads the events.</param>
    /// <param name="expected">The answers that have not come yet.</param>
    /// <param name="deliver">Passes on one message.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="MessageTooLargeException">An event is too large.</exception>
    public async Task ReadEventsAsync(
        HttpResponseMessage response, EventReader events, ExpectedAnswers expected, Func<Message, CancellationToken, Task> deliver,
        CancellationToken cancellationToken)
    {
        try
        {
            var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using var closing = stream.ConfigureAwait(false);
            await foreach (var (type, data) in events.ReadAsync(stream, cancellationToken).ConfigureAwait(false))
            {
                if (type != "message")
                {
                    continue;
                }
                var message = expected.Take(Message.Parse(data));
                foreach (var answer in message.Members)
                {
                    expected.Take(answer);
                }
                await deliver(message, cancellationToken).ConfigureAwait(false);
                if (expected.IsComplete)
                {
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or HttpRequestException && !cancellationToken.IsCancellationRequested)
        {
            connection.Options.Log?.Invoke($"a stream broke: {e.GetType().Name}");
        }
    }

    public static bool IsEventStream(HttpResponseMessage response) => response.Content.Headers.ContentType?.MediaType == "text/event-stream";

    private RelayFailure Explain(HttpResponseMessage response, ReadOnlyMemory<byte> body)
    {
        var status = (int)response.StatusCode;
        if (!response.IsSuccessStatusCode)
        {
            return RelayFailure.FromStatus(status, connection.Server);
        }
        var type = response.Content.Headers.ContentType?.MediaType;
        var kind = type is null ? "a body without a content type" : UntrustedText.Sanitize(type);
        return new RelayFailure(status, nameof(ErrorReason.ProtocolViolation), body.Length == 0
            ? $"'{connection.Server}' accepted the request and sent no answer."
            : $"'{connection.Server}' answered with {kind} instead of a JSON-RPC message.");
    }
}

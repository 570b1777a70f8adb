using System.Text;
using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>
/// A request of the client and what was sent for it. If it is sent again, it gets another id, and the client still sees its own.
/// </summary>
internal sealed class StatelessExchange(PendingRequest request, ToolHeaders tools, MessageWriter writer)
{
    private readonly Subscription? _subscription = request.Message.Method == "subscriptions/listen" ? new Subscription(request.Message) : null;

    public PendingRequest Request => request;

    /// <summary>The request as it was sent last.</summary>
    public Message Sent { get; private set; } = request.Message;

    /// <summary>The arguments of a tool that go into headers.</summary>
    public IReadOnlyList<(string Name, string Value)> Parameters { get; set; } = [];

    /// <summary>How long the server wants us to wait before the request is sent again; null if it does not say.</summary>
    public TimeSpan? Retry { get; set; }

    public bool IsSubscription => _subscription is not null;

    /// <summary>Whether the request was sent before under another id.</summary>
    public bool IsRepeated { get; private set; }

    /// <summary>Whether the server ended the subscription with a cancellation: an answer does not come.</summary>
    public bool IsEndedByServer { get; private set; }

    /// <summary>Whether a message came since the request was sent.</summary>
    public bool HasProgress { get; private set; }

    public void Repeat()
    {
        Sent = Message.Parse(ResponseId.Set(request.Message, Encoding.UTF8.GetBytes($"\"mcpsm-{Guid.NewGuid():N}\"")));
        (IsRepeated, HasProgress) = (true, false);
        _subscription?.Reopen();
    }

    /// <summary>Passes on one message of the stream.</summary>
    public async Task DeliverAsync(Message message, CancellationToken cancellationToken)
    {
        HasProgress = true;
        foreach (var bytes in ToClient(message))
        {
            await writer.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        }
    }

    private IReadOnlyList<ReadOnlyMemory<byte>> ToClient(Message message)
    {
        switch (message.Kind)
        {
            case MessageKind.Invalid:
                return [];
            case MessageKind.Response when message.IdKey == Sent.IdKey:
                var answer = tools.Filter(request.Message, _subscription?.SetId(message) ?? message.Bytes);
                return [IsRepeated ? ResponseId.Set(Message.Parse(answer), request.Message.Id) : answer];
            case MessageKind.Notification when _subscription is not null:
                IsEndedByServer |= message.Method == "notifications/cancelled";
                return _subscription.ToClient(message);
            default:
                return [message.Bytes];
        }
    }
}

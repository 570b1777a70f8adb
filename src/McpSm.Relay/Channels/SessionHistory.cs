using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>The messages of the client that a new session needs again.</summary>
internal sealed class SessionHistory
{
    private static readonly byte[] UsualInitialized = [.. """{"jsonrpc":"2.0","method":"notifications/initialized"}"""u8];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Message> _subscriptions = new(StringComparer.Ordinal);
    private Message? _level;

    /// <summary>The client's <c>initialize</c>; null if it sent none.</summary>
    public Message? Initialize { get; set; }

    /// <summary>What the server answered to it.</summary>
    public ServerPromise? Promise { get; set; }

    /// <summary>The client's <c>notifications/initialized</c>.</summary>
    public ReadOnlyMemory<byte> Initialized { get; set; } = UsualInitialized;

    /// <summary>Remembers a request that the server answered without an error.</summary>
    public void Add(Message request)
    {
        lock (_gate)
        {
            switch (request.Method)
            {
                case "logging/setLevel":
                    _level = request;
                    break;
                case "resources/subscribe" when request.Uri is not null:
                    _subscriptions[request.Uri] = request;
                    break;
                case "resources/unsubscribe" when request.Uri is not null:
                    _subscriptions.Remove(request.Uri);
                    break;
                default:
                    break;
            }
        }
    }

    /// <summary>The requests to send again after <c>initialize</c>. Their answers are not for the client.</summary>
    public IReadOnlyList<Message> ToReplay()
    {
        lock (_gate)
        {
            return [.. _level is null ? [] : new[] { _level }, .. _subscriptions.Values];
        }
    }
}

using McpSm.Relay.Messages;

namespace McpSm.HttpProxy;

/// <summary>Messages of a server that no request of the caller can take yet. Many clients open their stream a moment after <c>initialize</c>.</summary>
internal sealed class MessageQueue
{
    private const int MaxMessages = 256;
    private const int MaxBytes = 16 * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Queue<Message> _messages = new();
    private int _bytes;

    /// <summary>Adds a message. The oldest ones are dropped beyond the limits: a client without a stream never takes them.</summary>
    public void Add(Message message)
    {
        lock (_gate)
        {
            _messages.Enqueue(message);
            _bytes += message.Bytes.Length;
            while (_messages.Count > MaxMessages || (_bytes > MaxBytes && _messages.Count > 1))
            {
                _bytes -= _messages.Dequeue().Bytes.Length;
            }
        }
    }

    public bool TryTake(out Message message)
    {
        lock (_gate)
        {
            if (!_messages.TryDequeue(out var first))
            {
                message = null!;
                return false;
            }
            _bytes -= first.Bytes.Length;
            message = first;
            return true;
        }
    }
}

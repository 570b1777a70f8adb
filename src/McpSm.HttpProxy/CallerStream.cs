using System.Collections.Concurrent;
using System.Threading.Channels;
using McpSm.Relay.Messages;

namespace McpSm.HttpProxy;

/// <summary>
/// The messages of a session that go to one request of a caller. A caller that reads slowly makes the session wait, so that memory stays bounded.
/// </summary>
/// <param name="acceptsEvents">Whether the caller reads more than one answer.</param>
/// <param name="requests">The keys of the ids whose answers it waits for; none for a stream that the server writes to as it likes.</param>
internal sealed class CallerStream(bool acceptsEvents, IEnumerable<string> requests)
{
    private const int Capacity = 64;

    private readonly Channel<Message> _messages = Channel.CreateBounded<Message>(Capacity);
    private readonly ConcurrentDictionary<string, bool> _open = new(requests.Select(key => KeyValuePair.Create(key, true)), StringComparer.Ordinal);

    private volatile bool _isClosed;

    public bool AcceptsEvents => acceptsEvents;

    /// <summary>Whether an answer is missing.</summary>
    public bool IsWaiting => !_open.IsEmpty;

    /// <summary>Whether the caller no longer reads.</summary>
    public bool IsClosed => _isClosed;

    /// <summary>Hands over a message.</summary>
    /// <returns>False if the caller no longer reads.</returns>
    public async ValueTask<bool> TryWriteAsync(Message message, CancellationToken cancellationToken)
    {
        try
        {
            await _messages.Writer.WriteAsync(message, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (ChannelClosedException)
        {
            return false;
        }
    }

    /// <summary>Returns the next message; null if there will be none.</summary>
    public async ValueTask<Message?> ReadAsync(CancellationToken cancellationToken)
    {
        while (await _messages.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_messages.Reader.TryRead(out var message))
            {
                foreach (var answer in message.Kind == MessageKind.Batch ? message.Members : [message])
                {
                    if (answer.Kind == MessageKind.Response)
                    {
                        _open.TryRemove(answer.IdKey, out _);
                    }
                }
                return message;
            }
        }
        return null;
    }

    /// <summary>Ends the stream. Messages that were not read are left for another stream.</summary>
    public IReadOnlyList<Message> Close()
    {
        Complete();
        var left = new List<Message>();
        while (_messages.Reader.TryRead(out var message))
        {
            left.Add(message);
        }
        return left;
    }

    /// <summary>Ends the stream after the messages that it has.</summary>
    public void Complete()
    {
        _isClosed = true;
        _messages.Writer.TryComplete();
    }
}

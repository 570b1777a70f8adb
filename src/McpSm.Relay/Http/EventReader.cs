using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;

namespace McpSm.Relay.Http;

/// <summary>Reads the messages of one event stream, and remembers where to resume it (HTML Living Standard, server-sent events).</summary>
internal sealed class EventReader(int limit)
{
    /// <summary>The id of the last event; null if the server sends none.</summary>
    public string? LastId { get; private set; }

    /// <summary>How long to wait before the stream is opened again; null if the server does not say.</summary>
    public TimeSpan? Retry { get; private set; }

    /// <summary>Reads until the stream ends.</summary>
    /// <returns>The events with their types. Events without data only move <see cref="LastId"/>.</returns>
    /// <exception cref="MessageTooLargeException">An event is larger than the limit.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async IAsyncEnumerable<(string Type, byte[] Data)> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var bounded = new BoundedEventStream(stream, limit);
        await using var closing = bounded.ConfigureAwait(false);
        var parser = SseParser.Create(bounded, static (_, data) => data.ToArray());
        await foreach (var item in parser.EnumerateAsync(cancellationToken).ConfigureAwait(false))
        {
            bounded.BeginEvent();
            if (parser.LastEventId.Length > 0)
            {
                LastId = parser.LastEventId;
            }
            if (parser.ReconnectionInterval != Timeout.InfiniteTimeSpan)
            {
                Retry = parser.ReconnectionInterval;
            }
            if (item.Data.Length > 0)
            {
                yield return (item.EventType, item.Data);
            }
        }
    }
}

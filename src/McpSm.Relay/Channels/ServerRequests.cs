using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>The requests of the server that the client has not answered.</summary>
internal sealed class ServerRequests
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ReadOnlyMemory<byte>> _open = new(StringComparer.Ordinal);
    private readonly HashSet<string> _dropped = new(StringComparer.Ordinal);

    public void Add(Message request)
    {
        lock (_gate)
        {
            _open[request.IdKey] = request.Id;
            _dropped.Remove(request.IdKey);
        }
    }

    /// <returns>Whether the answer is for a server that still waits for it.</returns>
    public bool TakeAnswer(Message answer)
    {
        lock (_gate)
        {
            _open.Remove(answer.IdKey);
            return !_dropped.Remove(answer.IdKey);
        }
    }

    /// <summary>Gives up all requests, because their session is lost.</summary>
    /// <returns>The JSON of their ids.</returns>
    public IReadOnlyList<ReadOnlyMemory<byte>> DropAll()
    {
        lock (_gate)
        {
            var ids = _open.Values.ToList();
            _dropped.UnionWith(_open.Keys);
            _open.Clear();
            return ids;
        }
    }
}

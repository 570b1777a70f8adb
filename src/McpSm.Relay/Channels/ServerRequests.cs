using System.Buffers;
using System.Text;
using McpSm.Relay.Messages;

namespace McpSm.Relay.Channels;

/// <summary>
/// The requests of the server that the client has not answered. A server may use an id again that is still open at the client, for example
/// after its session was lost. Such a request gets another id towards the client.
/// </summary>
internal sealed class ServerRequests
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, OpenRequest> _open = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _latest = new(StringComparer.Ordinal);
    private readonly HashSet<string> _dropped = new(StringComparer.Ordinal);

    /// <summary>Remembers the requests of the server in a message, and forgets those that it cancels.</summary>
    /// <returns>The message for the client.</returns>
    public ReadOnlyMemory<byte> ToClient(Message message)
    {
        if (message.Kind != MessageKind.Batch)
        {
            return MemberToClient(message);
        }
        var members = message.Members.Select(MemberToClient).ToList();
        return members.Zip(message.Members).All(pair => pair.First.Equals(pair.Second.Bytes)) ? message.Bytes : Join(members);
    }

    /// <summary>Takes the answers of the client in a message.</summary>
    /// <returns>The message for the server; null if no server waits for it.</returns>
    public ReadOnlyMemory<byte>? ToServer(Message message)
    {
        if (message.Kind != MessageKind.Batch)
        {
            return MemberToServer(message);
        }
        var members = message.Members.Select(member => (member.Bytes, New: MemberToServer(member))).ToList();
        if (members.All(member => member.New?.Equals(member.Bytes) == true))
        {
            return message.Bytes;
        }
        var left = members.Where(member => member.New is not null).Select(member => member.New!.Value).ToList();
        return left.Count == 0 ? null : Join(left);
    }

    /// <summary>Gives up all requests, because their session is lost.</summary>
    /// <returns>The JSON of their ids at the client.</returns>
    public IReadOnlyList<ReadOnlyMemory<byte>> DropAll()
    {
        lock (_gate)
        {
            var ids = _open.Values.Select(request => request.ClientId).ToList();
            _dropped.UnionWith(_open.Keys);
            _open.Clear();
            _latest.Clear();
            return ids;
        }
    }

    private ReadOnlyMemory<byte> MemberToClient(Message message) => message switch
    {
        { Kind: MessageKind.Request } => Add(message),
        { Kind: MessageKind.Notification, Method: "notifications/cancelled" } => Cancel(message),
        _ => message.Bytes,
    };

    private ReadOnlyMemory<byte> Add(Message request)
    {
        lock (_gate)
        {
            var isFree = !_open.ContainsKey(request.IdKey) && !_dropped.Contains(request.IdKey);
            ReadOnlyMemory<byte> id = isFree ? request.Id : Encoding.UTF8.GetBytes($"\"mcpsm-{Guid.NewGuid():N}\"");
            var key = Message.KeyOf(id);
            _open[key] = new OpenRequest(id, request.Id);
            _latest[request.IdKey] = key;
            return isFree ? request.Bytes : ResponseId.Set(request, id);
        }
    }

    private ReadOnlyMemory<byte> Cancel(Message notification)
    {
        lock (_gate)
        {
            return _latest.Remove(Message.KeyOf(notification.RequestId), out var key) && _open.Remove(key, out var request)
                && !request.HasOwnId ? MemberValue.Set(notification.Bytes, ["params", "requestId"], request.ClientId) : notification.Bytes;
        }
    }

    private ReadOnlyMemory<byte>? MemberToServer(Message message)
    {
        if (message.Kind != MessageKind.Response)
        {
            return message.Bytes;
        }
        lock (_gate)
        {
            if (!_open.Remove(message.IdKey, out var request))
            {
                // An answer that nothing waits for is the server's to judge, unless its session is lost.
                return _dropped.Remove(message.IdKey) || message.IdKey.StartsWith("\"mcpsm-", StringComparison.Ordinal) ? null : message.Bytes;
            }
            var serverKey = Message.KeyOf(request.ServerId);
            if (_latest.GetValueOrDefault(serverKey) == message.IdKey)
            {
                _latest.Remove(serverKey);
            }
            return request.HasOwnId ? message.Bytes : ResponseId.Set(message, request.ServerId);
        }
    }

    private static ReadOnlyMemory<byte> Join(IReadOnlyList<ReadOnlyMemory<byte>> members)
    {
        var buffer = new ArrayBufferWriter<byte>(members.Sum(member => member.Length + 1) + 1);
        for (var i = 0; i < members.Count; i++)
        {
            buffer.Write(i == 0 ? "["u8 : ","u8);
            buffer.Write(members[i].Span);
        }
        buffer.Write("]"u8);
        return buffer.WrittenMemory;
    }

    /// <param name="ClientId">The JSON of the id at the client.</param>
    /// <param name="ServerId">The JSON of the id that the server gave.</param>
    private sealed record OpenRequest(ReadOnlyMemory<byte> ClientId, ReadOnlyMemory<byte> ServerId)
    {
        public bool HasOwnId => ClientId.Equals(ServerId);
    }
}

using System.Net.Sockets;
using System.Text;
using McpSm.Core.Interruption;

namespace McpSm.Core.Browsing;

/// <summary>
/// Accepts connections and reads the head of one request from each. Every user of this machine can connect. Idle connections are dropped, the oldest
/// first, so that a browser always gets a connection.
/// </summary>
/// <param name="port">The port to listen on.</param>
/// <param name="time">The clock of the time limits.</param>
/// <param name="answer">Responds to a request; the request is null if its head is too large or not HTTP.</param>
internal sealed class LoopbackRequests(LoopbackPort port, TimeProvider time, Func<NetworkStream, HttpRequestHead?, Task> answer) : IDisposable
{
    /// <summary>In bytes. Some issuers send codes and tokens of many kilobytes in the URL.</summary>
    public const int MaxHeadBytes = 64 * 1024;

    /// <summary>How many connections may have an incomplete head.</summary>
    public const int MaxIncomplete = 128;

    private const int InitialBufferBytes = 4 * 1024;

    // From this number on, the shorter timeout applies.
    private const int CrowdedIncomplete = MaxIncomplete / 2;

    private static readonly TimeSpan HeadTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShortHeadTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan AcceptRetryDelay = TimeSpan.FromMilliseconds(20);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _disposal = new();
    private readonly LinkedList<Incomplete> _incomplete = [];

    /// <summary>A connection whose head is incomplete.</summary>
    /// <param name="Socket">The connection.</param>
    /// <param name="Since">The time of the connection (<see cref="TimeProvider.GetTimestamp"/>).</param>
    private sealed record Incomplete(Socket Socket, long Since);

    public void Start()
    {
        foreach (var socket in port.Sockets)
        {
            _ = AcceptAsync(socket);
        }
    }

    public void Dispose()
    {
        _disposal.Cancel();
        port.Dispose();
    }

    private async Task AcceptAsync(Socket socket)
    {
        while (!_disposal.IsCancellationRequested)
        {
            try
            {
                _ = AnswerAsync(await socket.AcceptAsync(_disposal.Token).ConfigureAwait(false));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                if (!DropOldest())
                {
                    await Task.Delay(AcceptRetryDelay, time, CancellationToken.None).ConfigureAwait(false);
                }
            }
            catch (SocketException)
            {
                // The connection broke before it was accepted. This does not affect the next one.
            }
        }
    }

    private async Task AnswerAsync(Socket connection)
    {
        var slot = Admit(connection);
        try
        {
            using var stream = new NetworkStream(connection, ownsSocket: true);
            using var limit = new TimeLimit(time, HeadTimeout, _disposal.Token);
            var (isWhole, head) = await ReadHeadAsync(stream, limit.Token).ConfigureAwait(false);
            if (Leave(slot) && isWhole)
            {
                await answer(stream, head is null ? null : HttpRequestHead.Parse(head)).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The browser has disconnected or is too slow, so a response would not reach it.
        }
        finally
        {
            Leave(slot);
            connection.Dispose();
        }
    }

    /// <summary>Registers the connection, and drops older ones if there are too many.</summary>
    private LinkedListNode<Incomplete> Admit(Socket connection)
    {
        lock (_gate)
        {
            while (_incomplete.First is { } oldest && (_incomplete.Count >= MaxIncomplete
                || (_incomplete.Count >= CrowdedIncomplete && time.GetElapsedTime(oldest.Value.Since) >= ShortHeadTimeout)))
            {
                Drop(oldest);
            }
            return _incomplete.AddLast(new Incomplete(connection, time.GetTimestamp()));
        }
    }

    private bool DropOldest()
    {
        lock (_gate)
        {
            if (_incomplete.First is not { } oldest)
            {
                return false;
            }
            Drop(oldest);
            return true;
        }
    }

    private void Drop(LinkedListNode<Incomplete> slot)
    {
        _incomplete.Remove(slot);
        // Close with a reset, so that the system keeps no state of the connection.
        slot.Value.Socket.Close(0);
    }

    /// <summary>Removes the connection from the list; false if it was already dropped.</summary>
    private bool Leave(LinkedListNode<Incomplete> slot)
    {
        lock (_gate)
        {
            if (slot.List is null)
            {
                return false;
            }
            _incomplete.Remove(slot);
            return true;
        }
    }

    /// <returns>Whether a response is needed, and the head; null if it exceeds the size limit.</returns>
    private static async Task<(bool IsWhole, string? Head)> ReadHeadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[InitialBufferBytes];
        var length = 0;
        while (length < MaxHeadBytes)
        {
            if (length == buffer.Length)
            {
                // The buffer grows only with the received data.
                Array.Resize(ref buffer, buffer.Length * 2);
            }
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellationToken).ConfigureAwait(false);
            if (read == 0)
            {
                return (false, null);
            }
            var from = Math.Max(0, length - 3);
            length += read;
            var end = buffer.AsSpan(from, length - from).IndexOf("\r\n\r\n"u8);
            if (end >= 0)
            {
                return (true, Encoding.Latin1.GetString(buffer, 0, from + end));
            }
        }
        return (true, null);
    }
}

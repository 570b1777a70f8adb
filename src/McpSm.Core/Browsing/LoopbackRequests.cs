using System.Net.Sockets;
using System.Text;

namespace McpSm.Core.Browsing;

/// <summary>
/// Takes connections and reads the head of one request from each. Every user of this machine can connect: connections that
/// send nothing are dropped, the oldest first, so that a browser always gets through.
/// </summary>
/// <param name="answer">Answers a request; null if its head is too large or not HTTP.</param>
internal sealed class LoopbackRequests(LoopbackPort port, Func<NetworkStream, HttpRequestHead?, Task> answer) : IDisposable
{
    /// <summary>In bytes. Some issuers answer with codes and tokens of many kilobytes in the URL.</summary>
    public const int MaxHeadBytes = 64 * 1024;

    /// <summary>How many connections may wait for the rest of their head.</summary>
    public const int MaxIncomplete = 128;

    private const int FirstBuffer = 4 * 1024;

    // Beyond this many, the time limit is the short one.
    private const int CrowdedIncomplete = MaxIncomplete / 2;

    private static readonly TimeSpan HeadLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShortHeadLimit = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(20);

    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _end = new();
    private readonly LinkedList<Incomplete> _incomplete = [];

    /// <param name="Since">A timestamp of <see cref="Environment.TickCount64"/>, in milliseconds.</param>
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
        _end.Cancel();
        port.Dispose();
    }

    private async Task AcceptAsync(Socket socket)
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                _ = AnswerAsync(await socket.AcceptAsync(_end.Token).ConfigureAwait(false));
            }
            catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                if (!DropOldest())
                {
                    await Task.Delay(RetryAfter, CancellationToken.None).ConfigureAwait(false);
                }
            }
            catch (SocketException)
            {
                // That one connection broke before it was accepted. The next one has nothing to do with it.
            }
        }
    }

    private async Task AnswerAsync(Socket connection)
    {
        var place = Admit(connection);
        try
        {
            using var stream = new NetworkStream(connection, ownsSocket: true);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
            limit.CancelAfter(HeadLimit);
            var (isWhole, head) = await ReadHeadAsync(stream, limit.Token).ConfigureAwait(false);
            if (Leave(place) && isWhole)
            {
                await answer(stream, head is null ? null : HttpRequestHead.Parse(head)).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // A browser that hangs up, or is too slow, has nobody left to be told.
        }
        finally
        {
            Leave(place);
            connection.Dispose();
        }
    }

    /// <summary>Gives the connection a place, and takes those of older ones if places run short.</summary>
    private LinkedListNode<Incomplete> Admit(Socket connection)
    {
        lock (_gate)
        {
            while (_incomplete.First is { } oldest && (_incomplete.Count >= MaxIncomplete
                || (_incomplete.Count >= CrowdedIncomplete && Environment.TickCount64 - oldest.Value.Since >= ShortHeadLimit.TotalMilliseconds)))
            {
                Drop(oldest);
            }
            return _incomplete.AddLast(new Incomplete(connection, Environment.TickCount64));
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

    private void Drop(LinkedListNode<Incomplete> place)
    {
        _incomplete.Remove(place);
        // With a reset: nothing of it is left behind in the system.
        place.Value.Socket.Close(0);
    }

    /// <summary>Gives the place back; false if it was taken already.</summary>
    private bool Leave(LinkedListNode<Incomplete> place)
    {
        lock (_gate)
        {
            if (place.List is null)
            {
                return false;
            }
            _incomplete.Remove(place);
            return true;
        }
    }

    /// <returns>Whether a head has come that must be answered, and the head; null if it is larger than we take.</returns>
    private static async Task<(bool IsWhole, string? Head)> ReadHeadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var buffer = new byte[FirstBuffer];
        var length = 0;
        while (length < MaxHeadBytes)
        {
            if (length == buffer.Length)
            {
                // Memory is used only for what has come.
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

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpSm.TestServers;

/// <summary>A TCP server on loopback for responses that no web server sends.</summary>
public sealed class RawServer : IAsyncDisposable
{
    private static readonly TimeSpan DrainLimit = TimeSpan.FromMilliseconds(500);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ending = new();
    private readonly ConcurrentQueue<string> _requests = new();
    private readonly Func<string, NetworkStream, CancellationToken, Task> _answer;
    private readonly Task _accepting;
    private int _connections;
    private int _disposed;

    private RawServer(Func<string, NetworkStream, CancellationToken, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The root URL of the server, plain http.</summary>
    public Uri Url => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/");

    /// <summary>The number of connections so far.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>The complete requests: head and body as text.</summary>
    public IReadOnlyList<string> Requests => [.. _requests];

    /// <summary>Starts a server that calls an action with the stream after each request, then closes the connection.</summary>
    public static RawServer Start(Func<NetworkStream, CancellationToken, Task> answer) => new((_, stream, ct) => answer(stream, ct));

    /// <summary>Starts a server that calls an action with the stream and the request (head and body as text), then closes.</summary>
    public static RawServer Start(Func<string, NetworkStream, CancellationToken, Task> answer) => new(answer);

    /// <summary>Starts a server that sends these bytes and closes the connection.</summary>
    public static RawServer Answering(byte[] bytes) => new((_, stream, ct) => stream.WriteAsync(bytes, ct).AsTask());

    /// <summary>Starts a server that sends this text as UTF-8, with unchanged line ends, and closes the connection.</summary>
    public static RawServer Answering(string text) => Answering(Encoding.UTF8.GetBytes(text));

    /// <summary>Starts a server that reads the request and never responds.</summary>
    public static RawServer Hanging() => new((_, _, ct) => Task.Delay(Timeout.Infinite, ct));

    /// <summary>Starts a server that sends the head at once and the JSON body one byte per interval, a second by default.</summary>
    public static RawServer Dripping(string json = """{"issuer":"slow"}""", TimeSpan? interval = null)
    {
        var body = Encoding.UTF8.GetBytes(json);
        return new RawServer(async (_, stream, ct) =>
        {
            await stream.WriteAsync(Head(body.Length), ct);
            foreach (var one in body)
            {
                await Task.Delay(interval ?? TimeSpan.FromSeconds(1), ct);
                await stream.WriteAsync(new[] { one }, ct);
            }
        });
    }

    /// <summary>Starts a server that sends one JSON object of at least this many bytes, 5 MB by default.</summary>
    public static RawServer LargeJson(int bytes = 5 * 1024 * 1024)
    {
        var body = Encoding.UTF8.GetBytes($$"""{"filler":"{{new string('x', bytes)}}"}""");
        return new RawServer(async (_, stream, ct) =>
        {
            await stream.WriteAsync(Head(body.Length), ct);
            await stream.WriteAsync(body, ct);
        });
    }

    /// <summary>Starts a server that announces a longer body than it sends, and closes the connection.</summary>
    public static RawServer ClosingMidBody() => new(async (_, stream, ct) =>
    {
        await stream.WriteAsync(Head(1000), ct);
        await stream.WriteAsync("""{"issuer":"ht"""u8.ToArray(), ct);
    });

    /// <summary>Starts a server that announces a longer body than it sends, and resets the connection.</summary>
    public static RawServer ResettingMidBody() => new(async (_, stream, ct) =>
    {
        await stream.WriteAsync(Head(1000), ct);
        await stream.WriteAsync("""{"issuer":"ht"""u8.ToArray(), ct);
        stream.Socket.Close(0);
        throw new IOException("The connection was reset.");
    });

    /// <summary>Starts a server that sends this text again and again until the client closes the connection.</summary>
    public static RawServer Repeating(string head, string text, TimeSpan interval = default) => new(async (_, stream, ct) =>
    {
        await stream.WriteAsync(Encoding.Latin1.GetBytes(head), ct);
        for (var bytes = Encoding.Latin1.GetBytes(text); ; await Task.Delay(interval, ct))
        {
            await stream.WriteAsync(bytes, ct);
        }
    });

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _ending.CancelAsync();
        // Cancel before the listener stops, so that the accept loop does not call a stopped listener.
        await _accepting;
        _listener.Dispose();
        _ending.Dispose();
    }

    private static byte[] Head(int length) => Encoding.ASCII.GetBytes(
        $"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_ending.Token);
                Interlocked.Increment(ref _connections);
                serving.Add(ServeAsync(client));
            }
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            // The server ends; the same token cancels the open connections.
        }

        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var owned = client;
        try
        {
            var stream = client.GetStream();
            if (await RawRequest.ReadAsync(stream, _ending.Token) is not { } request)
            {
                return;
            }

            _requests.Enqueue(request);
            await _answer(request, stream, _ending.Token);
            await CloseAsync(client.Client, stream);
        }
        catch (OperationCanceledException)
        {
            // The server ends, or the client did not close its side in time: close the connection.
        }
        catch (Exception error) when (error is IOException or SocketException)
        {
            // The client closed the connection, as clients of a bad server do.
        }
    }

    // Closing with unread bytes would reset the connection, and the client could lose the response.
    private async Task CloseAsync(Socket socket, NetworkStream stream)
    {
        socket.Shutdown(SocketShutdown.Send);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_ending.Token);
        limit.CancelAfter(DrainLimit);
        var unread = new byte[4096];
        while (await stream.ReadAsync(unread, limit.Token) > 0)
        {
        }
    }
}

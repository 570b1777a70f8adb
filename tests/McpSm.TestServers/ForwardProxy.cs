using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpSm.TestServers;

/// <summary>
/// A proxy on loopback that resolves the host names of a test. It forwards CONNECT requests, plain http requests and SOCKS5 connections
/// to ports of this machine, and refuses all others.
/// </summary>
public sealed class ForwardProxy : IDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly Func<string, int, int?> _route;

    /// <param name="route">The port on 127.0.0.1 for a host and port; null to refuse.</param>
    /// <param name="address">The address to listen on; 127.0.0.1 if null.</param>
    public ForwardProxy(Func<string, int, int?> route, IPAddress? address = null)
    {
        _route = route;
        _listener = new TcpListener(address ?? IPAddress.Loopback, 0);
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>The required user name and password, separated by a colon; null if the proxy needs none.</summary>
    public string? Credentials { get; init; }

    /// <summary>The hosts and ports of all connections. Refused ones begin with "!".</summary>
    public ConcurrentQueue<string> Connections { get; } = new();

    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(_end.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var near = client;
        try
        {
            var stream = near.GetStream();
            var first = await ReadAsync(stream, 1);
            await (first[0] == 5 ? ServeSocksAsync(stream) : ServeHttpAsync(stream, first));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            // The client or the server has closed its connection.
        }
    }

    private async Task ServeHttpAsync(NetworkStream stream, byte[] first)
    {
        for (var head = await ReadHeadAsync(stream, first); head.Length > 0; head = await ReadHeadAsync(stream, []))
        {
            var words = head.Split("\r\n")[0].Split(' ');
            var isTunnel = words[0] == "CONNECT";
            var target = new Uri(isTunnel ? "https://" + words[1] : words[1]);
            if (Credentials is not null && !head.Contains($"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes(Credentials))}\r\n"))
            {
                await WriteAsync(stream,
                    "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Length: 0\r\n\r\n");
                continue;
            }
            if (Route(target.IdnHost, target.Port) is not { } port)
            {
                await WriteAsync(stream, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
                continue;
            }
            using var far = new TcpClient();
            await far.ConnectAsync(IPAddress.Loopback, port, _end.Token);
            await (isTunnel ? WriteAsync(stream, "HTTP/1.1 200 Connection established\r\n\r\n")
                : WriteAsync(far.GetStream(), head.Replace(words[1], target.PathAndQuery)));
            await JoinAsync(stream, far.GetStream());
            return;
        }
    }

    /// <summary>RFC 1928, with the user name and password of RFC 1929.</summary>
    private async Task ServeSocksAsync(NetworkStream stream)
    {
        var methods = await ReadAsync(stream, (await ReadAsync(stream, 1))[0]);
        var method = Credentials is null ? (byte)0 : (byte)2;
        await stream.WriteAsync(new byte[] { 5, methods.Contains(method) ? method : (byte)255 }, _end.Token);
        if (Credentials is not null)
        {
            await ReadAsync(stream, 1);
            var user = await ReadAsync(stream, (await ReadAsync(stream, 1))[0]);
            var password = await ReadAsync(stream, (await ReadAsync(stream, 1))[0]);
            var isRight = Credentials == $"{Encoding.UTF8.GetString(user)}:{Encoding.UTF8.GetString(password)}";
            await stream.WriteAsync(new byte[] { 1, isRight ? (byte)0 : (byte)1 }, _end.Token);
        }
        var kind = (await ReadAsync(stream, 4))[3];
        var host = kind switch
        {
            1 => new IPAddress(await ReadAsync(stream, 4)).ToString(),
            4 => new IPAddress(await ReadAsync(stream, 16)).ToString(),
            _ => Encoding.ASCII.GetString(await ReadAsync(stream, (await ReadAsync(stream, 1))[0])),
        };
        var number = await ReadAsync(stream, 2);
        var port = Route(host, (number[0] << 8) | number[1]);
        await stream.WriteAsync(new byte[] { 5, port is null ? (byte)2 : (byte)0, 0, 1, 0, 0, 0, 0, 0, 0 }, _end.Token);
        if (port is not null)
        {
            using var far = new TcpClient();
            await far.ConnectAsync(IPAddress.Loopback, port.Value, _end.Token);
            await JoinAsync(stream, far.GetStream());
        }
    }

    private int? Route(string host, int port)
    {
        var to = _route(host, port);
        Connections.Enqueue($"{(to is null ? "!" : "")}{host}:{port}");
        return to;
    }

    private Task JoinAsync(NetworkStream near, NetworkStream far) =>
        Task.WhenAny(near.CopyToAsync(far, _end.Token), far.CopyToAsync(near, _end.Token));

    private Task WriteAsync(NetworkStream stream, string text) => stream.WriteAsync(Encoding.ASCII.GetBytes(text), _end.Token).AsTask();

    private async Task<byte[]> ReadAsync(NetworkStream stream, int count)
    {
        var bytes = new byte[count];
        await stream.ReadExactlyAsync(bytes, _end.Token);
        return bytes;
    }

    private async Task<string> ReadHeadAsync(NetworkStream stream, byte[] first)
    {
        var head = new StringBuilder(Encoding.ASCII.GetString(first));
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && head.Length < 8192)
        {
            if (await stream.ReadAsync(one, _end.Token) == 0)
            {
                return "";
            }
            head.Append((char)one[0]);
        }
        return head.ToString();
    }
}

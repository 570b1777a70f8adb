using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpSm.TestServers;

/// <summary>
/// What HTTPS_PROXY of a real process names: it takes connections to the hosts of Entra ID to a stand-in that is served
/// over https, and refuses all others.
/// </summary>
public sealed class EntraProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly EntraStandIn _standIn;

    public EntraProxy(EntraStandIn standIn)
    {
        _standIn = standIn;
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Url => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>The hosts that were connected to, and those that were refused with "!" before them.</summary>
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
            var words = (await ReadHeadAsync(stream)).Split(' ');
            var host = words.ElementAtOrDefault(1)?.Split(':') is [var name, "443"] && words[0] == "CONNECT" ? name : "";
            if (!EntraStandIn.IsHost(host))
            {
                Connections.Enqueue("!" + words.ElementAtOrDefault(1));
                await stream.WriteAsync("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), _end.Token);
                return;
            }
            Connections.Enqueue(host);
            using var far = new TcpClient();
            await far.ConnectAsync(IPAddress.Loopback, new Uri(_standIn.Origin).Port, _end.Token);
            await stream.WriteAsync("HTTP/1.1 200 Connection established\r\n\r\n"u8.ToArray(), _end.Token);
            await Task.WhenAny(stream.CopyToAsync(far.GetStream(), _end.Token), far.GetStream().CopyToAsync(stream, _end.Token));
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
        {
            // One of the two has gone.
        }
    }

    private async Task<string> ReadHeadAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal) && head.Length < 8192 && await stream.ReadAsync(one, _end.Token) == 1)
        {
            head.Append((char)one[0]);
        }
        return head.ToString();
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpSm.Core.Tests.Browsing;

/// <summary>Requests as no HTTP client would send them, to a port of this machine.</summary>
public static class RawHttp
{
    public static async Task<TcpClient> ConnectAsync(int port)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        return client;
    }

    /// <summary>Sends these characters, a byte each, and gives back all that comes until the other side closes.</summary>
    public static async Task<string> SendAsync(int port, string text)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        using var client = await ConnectAsync(port);
        var stream = client.GetStream();
        try
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes(text), limit.Token);
            client.Client.Shutdown(SocketShutdown.Send);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            return await reader.ReadToEndAsync(limit.Token);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            // The other side hung up before it had heard all.
            return "";
        }
    }

    public static Task<string> GetAsync(int port, string target, string method = "GET", string? host = null) =>
        SendAsync(port, $"{method} {target} HTTP/1.1\r\nHost: {host ?? $"127.0.0.1:{port}"}\r\n\r\n");

    public static int Status(string answer) => answer.StartsWith("HTTP/1.1 ") ? int.Parse(answer[9..12]) : 0;
}

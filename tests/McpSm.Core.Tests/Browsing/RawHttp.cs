using System.Net;
using System.Net.Sockets;
using System.Text;

namespace McpSm.Core.Tests.Browsing;

/// <summary>Sends requests to a local port that no HTTP client would send.</summary>
public static class RawHttp
{
    public static async Task<TcpClient> ConnectAsync(int port)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        return client;
    }

    /// <summary>Sends the characters, one byte each, and returns the response up to the end of the connection.</summary>
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
            // The listener closed the connection before it read the whole request.
            return "";
        }
    }

    public static Task<string> GetAsync(int port, string target, string method = "GET", string? host = null) =>
        SendAsync(port, $"{method} {target} HTTP/1.1\r\nHost: {host ?? $"127.0.0.1:{port}"}\r\n\r\n");

    public static int Status(string answer) => answer.StartsWith("HTTP/1.1 ") ? int.Parse(answer[9..12]) : 0;
}

using System.Net;
using System.Net.Sockets;
using McpSm.Core.Http;
using McpSm.Core.Network;
using Xunit;

namespace McpSm.Core.Tests.Network;

/// <summary>How long-lived connections notice that the other end is gone.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public async Task Idle_connection_is_probed_by_the_system()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        var (stream, _) = await NetworkAccess.OfMachine.ConnectAsync([IPAddress.Loopback], ((IPEndPoint)listener.LocalEndpoint).Port, Cancellation);

        await using var closing = stream;
        var socket = Assert.IsType<NetworkStream>(stream).Socket;
        Assert.NotEqual(0, (int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive)!);
        Assert.Equal(30, (int)socket.GetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime)!);
    }

    [Fact]
    public void Connection_with_streams_is_pinged_and_another_may_be_opened()
    {
        using var handler = RestrictedHttpClient.NewSocketsHandler(new UrlPolicy(new Uri("https://a.example")));

        Assert.Equal(TimeSpan.FromSeconds(30), handler.KeepAlivePingDelay);
        Assert.True(handler.EnableMultipleHttp2Connections);
    }
}

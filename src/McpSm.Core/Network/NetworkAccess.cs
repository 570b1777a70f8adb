using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace McpSm.Core.Network;

/// <summary>Access to the network of this machine: proxy, name resolution and connections. Tests replace it.</summary>
internal class NetworkAccess
{
    private const int IdleSeconds = 30;
    private const int ProbeSeconds = 10;
    private const int Probes = 3;

    public static NetworkAccess OfMachine { get; } = new();

    /// <summary>
    /// The clock of the time limits for answers. It is not the clock of the environment: a test that moves that one does not speed up the network.
    /// </summary>
#pragma warning disable RS0030 // The clock of the system gets in here and in AppEnvironment.
    public virtual TimeProvider Time => TimeProvider.System;
#pragma warning restore RS0030

    /// <summary>The user's proxy, from the environment or the system settings.</summary>
    public virtual IWebProxy Proxy => HttpClient.DefaultProxy;

    /// <summary>Reads the authorities to trust in addition to those of the system; null if there are none.</summary>
    public virtual X509Certificate2Collection? LoadAuthorities() => null;

    /// <summary>Resolves a host with the resolver of the system.</summary>
    /// <exception cref="SocketException">The host does not have an address, or the name servers do not respond.</exception>
    public virtual Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) =>
        Dns.GetHostAddressesAsync(host, cancellationToken);

    /// <summary>Connects to the first address that responds.</summary>
    /// <returns>The connection, and its address.</returns>
    /// <exception cref="SocketException">None of the addresses responds.</exception>
    public virtual async Task<(Stream Stream, IPAddress Address)> ConnectAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            KeepAlive(socket);
            await socket.ConnectAsync(addresses, port, cancellationToken).ConfigureAwait(false);
            return (new NetworkStream(socket, ownsSocket: true), ((IPEndPoint)socket.RemoteEndPoint!).Address);
        }
        finally
        {
            if (!socket.Connected)
            {
                socket.Dispose();
            }
        }
    }

    /// <summary>Lets the system test an idle connection, so that a stream over HTTP/1.1 whose other end is gone does not wait for ever.</summary>
    private static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, IdleSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, ProbeSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Probes);
        }
        catch (SocketException)
        {
            // Older versions of Windows, and Wine, lack some of these options. The system then uses its own times.
        }
    }
}

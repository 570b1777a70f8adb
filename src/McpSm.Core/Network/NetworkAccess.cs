using System.Net;
using System.Net.Sockets;

namespace McpSm.Core.Network;

/// <summary>The network as this machine has it: its proxy, its names, its connections. Tests put another in its place.</summary>
internal class NetworkAccess
{
    public static NetworkAccess OfMachine { get; } = new();

    /// <summary>The user's proxy, which the environment or the system names.</summary>
    public virtual IWebProxy Proxy => HttpClient.DefaultProxy;

    /// <summary>The addresses of a host, by the system's own resolver.</summary>
    /// <exception cref="SocketException">It has none, or no name server answers.</exception>
    public virtual Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) =>
        Dns.GetHostAddressesAsync(host, cancellationToken);

    /// <summary>Connects to the first of the addresses that answers.</summary>
    /// <returns>The connection, and the address that answered.</returns>
    /// <exception cref="SocketException">None answers.</exception>
    public virtual async Task<(Stream Stream, IPAddress Address)> ConnectAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
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
}

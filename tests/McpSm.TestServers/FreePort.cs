using System.Net;
using System.Net.Sockets;

namespace McpSm.TestServers;

/// <summary>Finds a port for a test that has to name one before it is bound.</summary>
public static class FreePort
{
    /// <summary>Returns a port of 127.0.0.1 that was free a moment ago.</summary>
    public static int Find()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

using System.Net;
using System.Net.Sockets;

namespace McpSm.Core.Browsing;

/// <summary>A port of the loopback addresses that only this process listens on.</summary>
internal sealed class LoopbackPort : IDisposable
{
    private const int Backlog = 128;

    // How often to try another free port if the port is in use on the other address.
    private const int MaxAttempts = 16;

    private LoopbackPort(params Socket[] sockets) => Sockets = sockets;

    private enum Outcome
    {
        Listens,
        Taken,
        // This machine does not have the address.
        Absent,
    }

    public IReadOnlyList<Socket> Sockets { get; }

    public int Number => ((IPEndPoint)Sockets[0].LocalEndPoint!).Port;

    /// <summary>Whether <c>::1</c> is bound as well.</summary>
    public bool HasIPv6 => Sockets.Count > 1;

    /// <summary>Binds a port of 127.0.0.1; 0 binds any free port. Returns null if the port is in use.</summary>
    public static LoopbackPort? TryBind(int port) =>
        Listen(IPAddress.Loopback, port, out var socket) == Outcome.Listens ? new LoopbackPort(socket!) : null;

    /// <summary>
    /// Binds the port of 127.0.0.1 and ::1 for <c>localhost</c>: a browser may use either, and a program of another user that listens on the other
    /// address would receive the code. Without IPv6 on this machine, 127.0.0.1 is enough.
    /// </summary>
    public static LoopbackPort? TryBindBoth(int port)
    {
        for (var attempt = 0; attempt < (port == 0 ? MaxAttempts : 1); attempt++)
        {
            if (TryBind(port) is not { } first)
            {
                return null;
            }
            switch (Listen(IPAddress.IPv6Loopback, first.Number, out var second))
            {
                case Outcome.Listens:
                    return new LoopbackPort(first.Sockets[0], second!);
                case Outcome.Absent:
                    return first;
                default:
                    first.Dispose();
                    break;
            }
        }
        return null;
    }

    public void Dispose()
    {
        foreach (var socket in Sockets)
        {
            socket.Dispose();
        }
    }

    private static Outcome Listen(IPAddress address, int port, out Socket? listening)
    {
        listening = null;
        if (address.AddressFamily == AddressFamily.InterNetworkV6 && !Socket.OSSupportsIPv6)
        {
            return Outcome.Absent;
        }
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (OperatingSystem.IsWindows())
            {
                // Without this, another program could bind the same port and receive the code. On other systems even setting it to false would let
                // another sign-in bind the port.
                socket.ExclusiveAddressUse = true;
            }
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen(Backlog);
            listening = socket;
            return Outcome.Listens;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            return Outcome.Taken;
        }
        catch (SocketException e) when (address.AddressFamily == AddressFamily.InterNetworkV6
            && e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported)
        {
            return Outcome.Absent;
        }
        finally
        {
            if (listening is null)
            {
                socket.Dispose();
            }
        }
    }
}

using System.Net;
using System.Net.Sockets;

namespace McpSm.Core.Browsing;

/// <summary>A port of this machine's loopback addresses, on which we alone listen.</summary>
internal sealed class LoopbackPort : IDisposable
{
    private const int Backlog = 128;

    // How often another free port is tried if the same port of the other address is taken.
    private const int MaxAttempts = 16;

    private LoopbackPort(params Socket[] sockets) => Sockets = sockets;

    private enum Outcome
    {
        Listens,
        Taken,
        // This machine has no such address.
        Absent,
    }

    public IReadOnlyList<Socket> Sockets { get; }

    public int Number => ((IPEndPoint)Sockets[0].LocalEndPoint!).Port;

    /// <summary>Whether <c>::1</c> is bound too.</summary>
    public bool HasIPv6 => Sockets.Count > 1;

    /// <summary>Binds the port of 127.0.0.1; 0 is any free one. Null if it is taken.</summary>
    public static LoopbackPort? TryBind(int port) =>
        Listen(IPAddress.Loopback, port, out var socket) == Outcome.Listens ? new LoopbackPort(socket!) : null;

    /// <summary>
    /// Binds the port of 127.0.0.1 and of ::1, for <c>localhost</c>: a browser may go to either, and another user's program
    /// that listened on the other would get the code. Without IPv6 on this machine 127.0.0.1 alone is enough.
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
                // Another program could else bind the same port and take the code. Not to be set elsewhere, even to false:
                // there it would let another sign-in have the port too.
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

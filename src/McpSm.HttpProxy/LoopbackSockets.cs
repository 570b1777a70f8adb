using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using McpSm.Core.Errors;

namespace McpSm.HttpProxy;

/// <summary>
/// The sockets that listen on 127.0.0.1 and [::1]. Both have the same port: a caller that resolves <c>localhost</c> may use either, and another
/// program must not get its requests.
/// </summary>
internal static class LoopbackSockets
{
    // Below the ports that Linux (32768), macOS and Windows (49152) give to outgoing connections, so that a port is still free at the next start.
    private const int FirstPort = 20_000;
    private const int EndPort = 30_000;
    private const int MaxAttempts = 100;

    /// <summary>Binds to a port.</summary>
    /// <param name="port">The port; null or 0 for any free one.</param>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: the port cannot be used.</exception>
    public static IReadOnlyList<Socket> Bind(int? port)
    {
        if (port is > 0 and var given)
        {
            return TryBind(given, out var error) ?? throw Explain(given, error);
        }
        for (var attempt = 1; ; attempt++)
        {
            var candidate = RandomNumberGenerator.GetInt32(FirstPort, EndPort);
            if (TryBind(candidate, out var error) is { } sockets)
            {
                return sockets;
            }
            if (attempt == MaxAttempts)
            {
                throw Explain(candidate, error);
            }
        }
    }

    /// <summary>Returns the error for a port that another program uses.</summary>
    public static McpAuthException Explain(int port, SocketError error) => error == SocketError.AccessDenied
        ? new McpAuthException(ErrorReason.ConfigurationUnavailable, Invariant($"This user may not listen on port {port}."),
            "Choose a port from 1024 with --port.")
        : new McpAuthException(ErrorReason.ConfigurationUnavailable, Invariant($"Another program uses port {port} of this machine."),
            Invariant($"Find that program with '{FindOwner(port)}' and end it, or choose another port with --port. If you do not know the program, ")
            + "delete the bearer file: a client may have sent the token to that program.");

    private static string FindOwner(int port) => OperatingSystem.IsWindows() ? Invariant($"netstat -ano | findstr :{port}")
        : OperatingSystem.IsMacOS() ? Invariant($"lsof -nP -iTCP:{port} -sTCP:LISTEN")
        : Invariant($"ss -ltnp sport = :{port}");

    private static List<Socket>? TryBind(int port, out SocketError error)
    {
        var sockets = new List<Socket>();
        error = SocketError.Success;
        foreach (var address in (IPAddress[])[IPAddress.Loopback, IPAddress.IPv6Loopback])
        {
            Socket? socket = null;
            try
            {
                socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                if (OperatingSystem.IsWindows())
                {
                    // Otherwise another program of this user could bind to the same port and get the requests.
                    socket.ExclusiveAddressUse = true;
                }
                socket.Bind(new IPEndPoint(address, port));
                sockets.Add(socket);
            }
            catch (SocketException e) when (address.AddressFamily == AddressFamily.InterNetworkV6
                && e.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported or SocketError.ProtocolFamilyNotSupported)
            {
                // The machine has no IPv6.
                socket?.Dispose();
            }
            catch (SocketException e)
            {
                error = e.SocketErrorCode;
                socket?.Dispose();
                sockets.ForEach(bound => bound.Dispose());
                return null;
            }
        }
        return sockets;
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

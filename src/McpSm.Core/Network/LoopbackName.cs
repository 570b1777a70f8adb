using System.Net;

namespace McpSm.Core.Network;

/// <summary>Names that always refer to this machine, whatever DNS returns (RFC 6761 section 6.3).</summary>
internal static class LoopbackName
{
    private static readonly IPAddress[] Loopback = [IPAddress.IPv6Loopback, IPAddress.Loopback];

    /// <summary>Whether the host is <c>localhost</c> or a name under it, in any case, optionally with a trailing dot.</summary>
    public static bool Matches(string host)
    {
        var name = host.EndsWith('.') ? host.AsSpan(0, host.Length - 1) : host;
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>
    /// Returns the addresses to try for such a name: the loopback addresses that the system returned, then ::1 and 127.0.0.1. Other addresses are
    /// dropped: a name server could point <c>x.localhost</c> to another machine, which would then receive tokens over plain http.
    /// </summary>
    public static IPAddress[] Addresses(IEnumerable<IPAddress> resolved) =>
        [.. resolved.Where(AddressScopes.IsLoopback).Concat(Loopback).Distinct()];
}

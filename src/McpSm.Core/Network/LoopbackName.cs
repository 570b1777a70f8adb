using System.Net;

namespace McpSm.Core.Network;

/// <summary>Names that mean this machine, whatever DNS says of them (RFC 6761 section 6.3).</summary>
internal static class LoopbackName
{
    private static readonly IPAddress[] Loopback = [IPAddress.IPv6Loopback, IPAddress.Loopback];

    /// <summary>Whether the host is <c>localhost</c> or a name under it, in any case, perhaps with the dot of an absolute name.</summary>
    public static bool Matches(string host)
    {
        var name = host.EndsWith('.') ? host.AsSpan(0, host.Length - 1) : host;
        return name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>
    /// The addresses to try for such a name: what the system answered, as far as it is on this machine, then ::1 and 127.0.0.1.
    /// A name server could put <c>x.localhost</c> on another machine, which would then get tokens in the clear.
    /// </summary>
    public static IPAddress[] Addresses(IEnumerable<IPAddress> answered) =>
        [.. answered.Where(AddressScopes.IsLoopback).Concat(Loopback).Distinct()];
}

using System.Net;
using System.Net.Sockets;

namespace McpSm.Core.Network;

/// <summary>Determines the scope of an IP address. An IPv6 address that contains an IPv4 address has the scope of the IPv4 address.</summary>
internal static class AddressScopes
{
    // Metadata services outside the link-local range: Alibaba, Oracle, Azure, AWS (a whole prefix), Google.
    private static readonly IPNetwork[] Metadata =
    [
        IPNetwork.Parse("100.100.100.200/32"), IPNetwork.Parse("192.0.0.192/32"), IPNetwork.Parse("168.63.129.16/32"),
        IPNetwork.Parse("fd00:ec2::/32"), IPNetwork.Parse("fd20:ce::254/128"),
    ];

    // "This network", loopback, link-local, multicast and broadcast.
    private static readonly IPNetwork[] Machine =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("224.0.0.0/4"),
        IPNetwork.Parse("255.255.255.255/32"), IPNetwork.Parse("::/127"), IPNetwork.Parse("fe80::/10"), IPNetwork.Parse("ff00::/8"),
    ];

    // RFC 1918, RFC 6598, class E (some networks route it inside), unique local and site-local addresses, Teredo (RFC 4380).
    // The benchmarking range 198.18.0.0/15 is not included: the name servers of some VPN clients return such addresses for public hosts.
    private static readonly IPNetwork[] Private =
    [
        IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12"), IPNetwork.Parse("192.168.0.0/16"), IPNetwork.Parse("100.64.0.0/10"),
        IPNetwork.Parse("240.0.0.0/4"), IPNetwork.Parse("fc00::/7"), IPNetwork.Parse("fec0::/10"), IPNetwork.Parse("2001::/32"),
    ];

    private static readonly IPNetwork Mapped = IPNetwork.Parse("::ffff:0:0/96");
    private static readonly IPNetwork Translated = IPNetwork.Parse("::ffff:0:0:0/96");
    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork LocalNat64 = IPNetwork.Parse("64:ff9b:1::/48");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    public static bool IsLoopback(IPAddress address) => IPAddress.IsLoopback(Plain(address));

    public static AddressScope Classify(IPAddress address)
    {
        address = Plain(address);
        if (Contains(Machine, address) || Contains(Metadata, address))
        {
            return AddressScope.Machine;
        }
        if (Contains(Private, address))
        {
            return AddressScope.Private;
        }
        return address.AddressFamily == AddressFamily.InterNetwork ? AddressScope.Public
            : Compatible.Contains(address) ? AtLeastPrivate(IPv4At(address, 12))
            : SixToFour.Contains(address) ? AtLeastPrivate(IPv4At(address, 2))
            : LocalNat64.Contains(address) ? OfLocalNat64(address)
            : AddressScope.Public;
    }

    /// <summary>
    /// Returns the IPv4 address that an IPv6 address represents: mapped (RFC 4291), translated (RFC 2765) or behind NAT64 (RFC 6052).
    /// </summary>
    private static IPAddress Plain(IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6
        && (Mapped.Contains(address) || Translated.Contains(address) || Nat64.Contains(address)) ? IPv4At(address, 12) : WithoutZone(address);

    /// <summary>A tunnel to an IPv4 address leads at least into a private network.</summary>
    private static AddressScope AtLeastPrivate(IPAddress address) =>
        Classify(address) == AddressScope.Machine ? AddressScope.Machine : AddressScope.Private;

    /// <summary>
    /// For a local NAT64 (RFC 8215) the length of the prefix is unknown. In RFC 6052 section 2.2 the IPv4 address follows a prefix of 48, 56 or 64
    /// bits and skips bits 64 to 71; after a prefix of 96 bits it is at the end. So this classifies both the first nonzero bits and the end, and the
    /// end only if it is nonzero.
    /// </summary>
    private static AddressScope OfLocalNat64(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        byte[] afterPrefix = [bytes[6], bytes[7], .. bytes[9..]];
        var start = Array.FindIndex(afterPrefix, 0, 3, b => b != 0);
        var first = start < 0 ? AddressScope.Public : Classify(new IPAddress(afterPrefix.AsSpan(start, 4)));
        // After a prefix of 64 bits, the address includes the first of the last four bytes.
        return start >= 0 && bytes.AsSpan(start == 2 ? 13 : 12).IndexOfAnyExcept((byte)0) < 0 ? first
            : (AddressScope)Math.Max((int)first, (int)Classify(IPv4At(address, 12)));
    }

    private static IPAddress IPv4At(IPAddress address, int index) => new(address.GetAddressBytes().AsSpan(index, 4));

    private static IPAddress WithoutZone(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0 ? new IPAddress(address.GetAddressBytes()) : address;

    private static bool Contains(IPNetwork[] networks, IPAddress address) => Array.Exists(networks, n => n.Contains(address));
}

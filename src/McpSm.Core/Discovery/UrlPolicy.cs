using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using McpSm.Core.Errors;

namespace McpSm.Core.Discovery;

/// <summary>
/// Which URLs may be visited for one server (rules 27, 28, 30). Hosts that the user named are trusted to be where
/// they are; all others were named by the network, and from a public server none may lead into this machine.
/// </summary>
public sealed class UrlPolicy
{
    // No web server in common use takes a longer request line than Node.js with 16 KiB, and a query is still to come.
    private const int LongestUrl = 8 * 1024;

    private readonly HashSet<string> _namedByUser;
    private readonly bool _local;

    /// <param name="namedByUser">The server's URL and the pinned issuer, where there is one.</param>
    public UrlPolicy(params IEnumerable<Uri> namedByUser)
    {
        var all = namedByUser.ToList();
        _namedByUser = new(all.Select(u => u.IdnHost), StringComparer.OrdinalIgnoreCase);
        _local = all.Count > 0 && IsLoopbackHost(all[0].IdnHost);
    }

    /// <summary>The URL, checked: absolute, of at most 8 KiB, https (or http on loopback), without user info.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public Uri Check(string? url, string what)
    {
        if (!TryParse(url, out var uri) || uri.Scheme is not ("https" or "http"))
        {
            throw Unsafe(what, url, "it is not an absolute http(s) URL");
        }
        if (uri.AbsoluteUri.Length > LongestUrl)
        {
            throw Unsafe(what, url, $"it is longer than {LongestUrl} characters");
        }
        if (uri.UserInfo.Length > 0)
        {
            throw Unsafe(what, url, "it carries a user name");
        }
        if (!IsSecure(uri))
        {
            throw Unsafe(what, url, "it is plain http outside this machine");
        }
        if (IPAddress.TryParse(uri.IdnHost.Trim('[', ']'), out var address) || IsLoopbackHost(uri.IdnHost))
        {
            CheckAddress(uri.IdnHost, address ?? IPAddress.Loopback);
        }
        return uri;
    }

    /// <summary>Refuses an address that a public server must not lead to; called with what a name resolved to.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public void CheckAddress(string host, IPAddress address)
    {
        if (!_namedByUser.Contains(host) && !(_local && IPAddress.IsLoopback(Plain(address))) && IsInner(Plain(address)))
        {
            throw Unsafe("The address", host, "a public server must not lead to this machine or its link");
        }
    }

    /// <summary>
    /// An absolute URL with a host that has an ASCII form (.NET takes others too, and throws later), and that printed
    /// means itself: of some hidden characters .NET makes a host that whoever reads it next takes for an address.
    /// </summary>
    /// <remarks>Uri.TryCreate itself throws at a few texts, such as "//" and a right-to-left override.</remarks>
    internal static bool TryParse(string? text, [NotNullWhen(true)] out Uri? uri)
    {
        try
        {
            return Uri.TryCreate(text, UriKind.Absolute, out uri) && uri.IdnHost is not null
                && Uri.TryCreate(uri.AbsoluteUri, UriKind.Absolute, out var printed) && printed.AbsoluteUri == uri.AbsoluteUri;
        }
        catch (Exception e) when (e is UriFormatException or IndexOutOfRangeException)
        {
            uri = null;
            return false;
        }
    }

    /// <summary>Where an answer's Location leads from the URL that was asked, whatever the scheme; null where that is no URL.</summary>
    internal static Uri? Target(HttpResponseMessage response, Uri asked)
    {
        try
        {
            return response.Headers.Location is { } location && Uri.TryCreate(asked, location, out var target)
                && TryParse(target.AbsoluteUri, out var parsed) ? parsed : null;
        }
        catch (Exception e) when (e is UriFormatException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>https, or http to this very machine.</summary>
    public static bool IsSecure(Uri uri) => uri.Scheme == "https" || (uri.Scheme == "http" && IsLoopbackHost(uri.IdnHost));

    public static bool IsLoopbackHost(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(Plain(address)));

    /// <summary>The IPv4 address that an IPv6 one stands for: mapped, or behind the NAT64 of RFC 6052.</summary>
    private static IPAddress Plain(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }
        var bytes = address.GetAddressBytes();
        return address.IsIPv4MappedToIPv6 || bytes.AsSpan().StartsWith(Nat64) ? new IPAddress(bytes.AsSpan(12)) : address;
    }

    // 64:ff9b::/96
    private static ReadOnlySpan<byte> Nat64 => [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

    /// <summary>
    /// Loopback, "this network", link-local (169.254/16 holds the metadata service of most clouds), and the clouds'
    /// metadata addresses outside it: 100.100.100.200 (Alibaba), 192.0.0.192 (Oracle), fd00:ec2::254 (AWS).
    /// </summary>
    private static bool IsInner(IPAddress address)
    {
        if (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
        {
            return true;
        }
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
        {
            return address.IsIPv6LinkLocal || address.Equals(AwsMetadata6);
        }
        var bytes = address.GetAddressBytes();
        return bytes[0] == 0 || (bytes[0], bytes[1]) == (169, 254)
            || address.Equals(AlibabaMetadata) || address.Equals(OracleMetadata);
    }

    private static readonly IPAddress AwsMetadata6 = IPAddress.Parse("fd00:ec2::254");
    private static readonly IPAddress AlibabaMetadata = IPAddress.Parse("100.100.100.200");
    private static readonly IPAddress OracleMetadata = IPAddress.Parse("192.0.0.192");

    private static McpAuthException Unsafe(string what, string? url, string why) =>
        new(ErrorReason.UnsafeEndpoint, $"{what} is not safe to visit: {why} ({Show(url)}).",
            "Ask whoever runs the server to publish an https URL of a public host.");

    /// <summary>Host and path of a foreign URL; its user info and query may hold secrets.</summary>
    private static string Show(string? url) =>
        TryParse(url, out var uri) && uri.Host.Length > 0
            ? ForeignText.Clean($"{uri.Scheme}://{uri.Authority}{uri.AbsolutePath}")
            : ForeignText.Clean(url?.Split('?', '#')[0]);
}

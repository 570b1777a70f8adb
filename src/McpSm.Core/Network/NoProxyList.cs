using System.Globalization;
using System.Net;

namespace McpSm.Core.Network;

/// <summary>
/// The hosts of NO_PROXY: <c>*</c>; a domain with everything under it, also written <c>.domain</c> or <c>*.domain</c>; an address or a network
/// (<c>10.0.0.0/8</c>). Each but a network may have a port.
/// </summary>
/// <param name="text">The entries, separated by commas or spaces; null for an empty list.</param>
internal sealed class NoProxyList(string? text)
{
    private readonly string[] _entries = (text ?? "").Split([',', ' '], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public bool Contains(Uri url) => _entries.Any(entry => Matches(entry, url.IdnHost.Trim('[', ']').TrimEnd('.'), url.Port));

    private static bool Matches(string entry, string host, int port)
    {
        if (entry == "*")
        {
            return true;
        }
        if (IPNetwork.TryParse(entry, out var network))
        {
            return IPAddress.TryParse(host, out var address) && network.Contains(address);
        }
        if (IPAddress.TryParse(entry.Trim('[', ']'), out var single))
        {
            return IPAddress.TryParse(host, out var address) && single.Equals(address);
        }
        var colon = entry.LastIndexOf(':');
        if (colon > 0 && int.TryParse(entry.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var only))
        {
            return only == port && Matches(entry[..colon], host, port);
        }
        var domain = entry.TrimStart('*').TrimStart('.').TrimEnd('.');
        return domain.Length > 0 && (host.Equals(domain, StringComparison.OrdinalIgnoreCase)
            || host.EndsWith("." + domain, StringComparison.OrdinalIgnoreCase));
    }
}

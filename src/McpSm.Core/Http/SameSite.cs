using System.Net;

namespace McpSm.Core.Http;

/// <summary>Compares the sites of two URLs by their hosts.</summary>
internal static class SameSite
{
    /// <summary>
    /// Whether the hosts are equal, one is a subdomain of the other, or their last two labels are equal. An IP address is the same site only as
    /// itself.
    /// </summary>
    public static bool IsSame(Uri a, Uri b)
    {
        var (one, other) = (HostOf(a), HostOf(b));
        if (one == other)
        {
            return true;
        }
        if (IPAddress.TryParse(one, out _) || IPAddress.TryParse(other, out _))
        {
            return false;
        }
        return one.EndsWith("." + other, StringComparison.Ordinal) || other.EndsWith("." + one, StringComparison.Ordinal)
            || (one.Contains('.') && other.Contains('.') && LastTwoLabels(one) == LastTwoLabels(other));
    }

    private static string HostOf(Uri url) => url.IdnHost.Trim('[', ']').TrimEnd('.').ToLowerInvariant();

    private static string LastTwoLabels(string host) => string.Join('.', host.Split('.')[^2..]);
}

namespace McpSm.TestServers;

internal static class PathPrefix
{
    /// <summary>Compares path prefixes by segment: "/device" matches "/device/x" but not "/device_authorization"; "/" matches every path.</summary>
    public static bool Covers(string prefix, string path)
    {
        var trimmed = prefix.TrimEnd('/');
        return path.StartsWith(trimmed, StringComparison.Ordinal)
            && (path.Length == trimmed.Length || path[trimmed.Length] == '/');
    }
}

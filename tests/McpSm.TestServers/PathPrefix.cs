namespace McpSm.TestServers;

internal static class PathPrefix
{
    /// <summary>Prefixes end on a segment: "/device" covers "/device/x", not "/device_authorization"; "/" covers all.</summary>
    public static bool Covers(string prefix, string path)
    {
        var trimmed = prefix.TrimEnd('/');
        return path.StartsWith(trimmed, StringComparison.Ordinal)
            && (path.Length == trimmed.Length || path[trimmed.Length] == '/');
    }
}

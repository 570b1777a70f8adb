namespace McpSm.Bench;

/// <summary>A measured code path: the time in nanoseconds and the allocated bytes.</summary>
internal sealed record HotPath(string Path, double Nanoseconds, long AllocatedBytes);

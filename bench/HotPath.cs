namespace McpSm.Bench;

/// <summary>A path inside the process: time in nanoseconds, and bytes allocated.</summary>
internal sealed record HotPath(string Path, double Nanoseconds, long AllocatedBytes);

namespace McpSm.Core.Http;

/// <summary>
/// Revisions of MCP that a server is asked with. Servers are to answer a revision that they do not know with one that they know; some
/// answer 400 instead, and are asked again with an older one.
/// </summary>
internal static class ProtocolVersions
{
    /// <summary>The newest whose first request is <c>initialize</c>.</summary>
    public const string Newest = "2025-11-25";

    /// <summary>Those to ask with after a 400, in this order.</summary>
    public static IReadOnlyList<string> Older { get; } = ["2025-06-18", "2025-03-26"];
}

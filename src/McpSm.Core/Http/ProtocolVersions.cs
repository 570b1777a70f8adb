namespace McpSm.Core.Http;

/// <summary>
/// The MCP revisions that requests use. A server should respond to an unknown revision with one that it supports. Some servers return 400 instead,
/// and then the request is repeated with an older revision.
/// </summary>
internal static class ProtocolVersions
{
    /// <summary>The newest revision that starts with an <c>initialize</c> request.</summary>
    public const string Newest = "2025-11-25";

    /// <summary>The revisions to try after a 400, in this order.</summary>
    public static IReadOnlyList<string> Older { get; } = ["2025-06-18", "2025-03-26"];
}

namespace McpSm.Core.Management.McpRemote;

/// <summary>What an import from <c>mcp-remote</c> would do.</summary>
/// <param name="Items">The servers to take over, with their tokens if there are any.</param>
/// <param name="Left">Files that are left, with the reason.</param>
internal sealed record McpRemotePlan(IReadOnlyList<McpRemoteItem> Items, IReadOnlyList<(string File, string Reason)> Left);

using McpSm.Core.Servers;

namespace McpSm.Core.Management.McpRemote;

/// <summary>A server that an import from <c>mcp-remote</c> takes over.</summary>
/// <param name="Entry">How <c>mcp-remote</c> was started.</param>
/// <param name="Tokens">Its tokens; null if there are none.</param>
/// <param name="Server">The server of the catalog; null if it has to be added.</param>
internal sealed record McpRemoteItem(McpRemoteEntry Entry, McpRemoteTokens? Tokens, McpServer? Server)
{
    /// <summary>Older token sets of the same server, which are replaced by <see cref="Tokens"/>.</summary>
    public IReadOnlyList<McpRemoteTokens> Older { get; init; } = [];
}

namespace McpSm.Relay.Channels;

/// <summary>A session with a server of 2025-11-25 or before.</summary>
/// <param name="Id">The value of <c>Mcp-Session-Id</c>; null if the server has no sessions.</param>
/// <param name="Version">The negotiated revision of MCP; null before <c>initialize</c> is answered.</param>
internal sealed record Session(string? Id, string? Version)
{
    public static Session None { get; } = new(null, null);

    public void Mark(HttpRequestMessage request)
    {
        if (Id is not null)
        {
            request.Headers.TryAddWithoutValidation("Mcp-Session-Id", Id);
        }
        if (Version is not null)
        {
            request.Headers.TryAddWithoutValidation("MCP-Protocol-Version", Version);
        }
    }
}

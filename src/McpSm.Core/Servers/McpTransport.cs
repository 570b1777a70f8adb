namespace McpSm.Core.Servers;

/// <summary>How a server is spoken to: Streamable HTTP, or the HTTP+SSE transport before it.</summary>
public enum McpTransport
{
    Http,
    Sse,
}

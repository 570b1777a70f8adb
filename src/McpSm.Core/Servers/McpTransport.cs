namespace McpSm.Core.Servers;

/// <summary>The transport of a server: Streamable HTTP, or its predecessor HTTP+SSE.</summary>
public enum McpTransport
{
    Http,
    Sse,
}

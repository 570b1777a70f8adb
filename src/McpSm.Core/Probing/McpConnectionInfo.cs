namespace McpSm.Core.Probing;

/// <summary>The result of a test connection to an MCP server.</summary>
internal sealed record McpConnectionInfo(string ServerName, string ServerVersion, string ProtocolVersion, int ToolCount, TimeSpan Latency);

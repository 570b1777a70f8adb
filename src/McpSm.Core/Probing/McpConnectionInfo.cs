namespace McpSm.Core.Probing;

/// <summary>What a server said to an MCP client.</summary>
public sealed record McpConnectionInfo(string ServerName, string ServerVersion, string ProtocolVersion, int ToolCount, TimeSpan Latency);

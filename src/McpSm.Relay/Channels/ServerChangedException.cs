namespace McpSm.Relay.Channels;

/// <summary>A server whose session was lost came back with another version or other capabilities than it told the client. The relay must end.</summary>
internal sealed class ServerChangedException(string server)
    : Exception($"The session with '{server}' was lost, and the server now has another version of MCP or other capabilities. Reconnect.");

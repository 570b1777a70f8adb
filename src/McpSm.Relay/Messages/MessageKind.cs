namespace McpSm.Relay.Messages;

/// <summary>What a JSON-RPC message is.</summary>
internal enum MessageKind
{
    /// <summary>Not a JSON-RPC message.</summary>
    Invalid,
    Request,
    Notification,

    /// <summary>A result or an error.</summary>
    Response,

    /// <summary>An array of messages, which MCP had in its revision 2025-03-26 only.</summary>
    Batch,
}

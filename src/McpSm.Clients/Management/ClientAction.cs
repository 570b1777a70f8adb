namespace McpSm.Clients.Management;

/// <summary>What happened to an entry in a client's file.</summary>
internal enum ClientAction
{
    /// <summary>The entry is as it should be.</summary>
    Unchanged,
    Added,
    Updated,
    Removed,
}

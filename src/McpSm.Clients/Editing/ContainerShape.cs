namespace McpSm.Clients.Editing;

/// <summary>How a container holds its servers.</summary>
internal enum ContainerShape
{
    /// <summary>The names of the servers are the keys.</summary>
    Map,
    /// <summary>Each element has its name in a member <c>name</c>.</summary>
    List,
}

namespace McpSm.Clients.Entries;

/// <summary>What an entry in a client's file is.</summary>
internal enum EntryKind
{
    /// <summary>Neither a program nor a URL that Mcpsm understands.</summary>
    Unknown,

    /// <summary>A local program of another maker.</summary>
    Program,

    /// <summary>A remote server that the client connects to.</summary>
    Remote,

    /// <summary>A remote server through the npm tool mcp-remote.</summary>
    McpRemote,

    /// <summary>A server of the catalog through <c>mcpsm proxy</c>.</summary>
    Relay,

    /// <summary>A remote server for which Mcpsm prints the headers.</summary>
    Helper,
}

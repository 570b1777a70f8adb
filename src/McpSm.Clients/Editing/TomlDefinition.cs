namespace McpSm.Clients.Editing;

/// <summary>How a table or an array was defined, which decides whether a later part may add to it (TOML 1.1, "Table" and "Keys").</summary>
internal enum TomlDefinition
{
    /// <summary>As part of the path of a header.</summary>
    Implicit,
    /// <summary>By its own header.</summary>
    Header,
    /// <summary>By a key with dots.</summary>
    Dotted,
    /// <summary>By headers of an array of tables.</summary>
    TableArray,
    /// <summary>In brackets. Nothing may be added outside of them.</summary>
    Closed,
}

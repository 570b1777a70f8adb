namespace McpSm.Clients.Editing;

/// <summary>The kind of a part of a TOML text.</summary>
internal enum TomlPartKind
{
    /// <summary>A header of a table, with the pairs under it.</summary>
    Table,
    /// <summary>A key with its value on lines of its own.</summary>
    Pair,
    /// <summary>An element of an inline table or an array.</summary>
    Element,
}

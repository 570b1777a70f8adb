namespace McpSm.Clients.Editing;

/// <summary>A part of a TOML text that defines a value, or a part of a value.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Path">What it defines, from the root.</param>
/// <param name="Start">The position of its first line, or of its first character in brackets.</param>
/// <param name="Value">The value. Other parts can add to the value of a table.</param>
/// <param name="Parent">The table of a pair, or the collection of an element; null at the root.</param>
internal sealed record TomlPart(TomlPartKind Kind, TomlPath Path, int Start, ConfigurationValue Value, TomlPart? Parent)
{
    /// <summary>The position after its last line, or after its last character in brackets. A table ends with its last pair.</summary>
    public int End { get; set; }
}

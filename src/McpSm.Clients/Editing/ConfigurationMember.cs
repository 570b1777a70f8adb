namespace McpSm.Clients.Editing;

/// <summary>A member of a map.</summary>
/// <param name="Key">The key, without quotes and escapes.</param>
/// <param name="Start">The position of the key in the text.</param>
/// <param name="Value">The value.</param>
internal sealed record ConfigurationMember(string Key, int Start, ConfigurationValue Value)
{
    /// <summary>The position after the key. Known in YAML only.</summary>
    public int KeyEnd { get; init; }
}

namespace McpSm.Core.Vaults;

/// <summary>
/// Makes the text of an item 8 KiB longer, to find out whether a vault has room for what follows. The padding is one more
/// member at the end of a JSON object: older versions of Mcpsm ignore it, and the next write of the item drops it.
/// </summary>
internal static class VaultItemPadding
{
    private const int Length = 8 * 1024;

    private static readonly string End = $",\"padding\":\"{new string('0', Length)}\"}}";

    /// <param name="json">A JSON object with at least one member.</param>
    public static string Add(string json) => json.EndsWith('}') ? string.Concat(json.AsSpan(0, json.Length - 1), End) : json;

    /// <summary>The text without its padding. No other text ends like this: JSON escapes the quotes within a string.</summary>
    public static string? Remove(string? text) =>
        text?.EndsWith(End, StringComparison.Ordinal) == true ? string.Concat(text.AsSpan(0, text.Length - End.Length), "}") : text;
}

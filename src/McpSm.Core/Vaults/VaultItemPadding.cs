namespace McpSm.Core.Vaults;

/// <summary>
/// Adds 8 KiB to the text of an item, to find out whether the vault has room for the next write. The padding is one more member at the end of a JSON
/// object: older versions of Mcpsm ignore it, and the next write of the item removes it.
/// </summary>
internal static class VaultItemPadding
{
    private const int Length = 8 * 1024;

    private static readonly string End = $",\"padding\":\"{new string('0', Length)}\"}}";

    /// <summary>Returns the text with padding.</summary>
    /// <param name="json">A JSON object with at least one member.</param>
    public static string Add(string json) => json.EndsWith('}') ? string.Concat(json.AsSpan(0, json.Length - 1), End) : json;

    /// <summary>Returns the text without its padding. Other texts cannot end like this, because JSON escapes quotes within strings.</summary>
    public static string? Remove(string? text) =>
        text?.EndsWith(End, StringComparison.Ordinal) == true ? string.Concat(text.AsSpan(0, text.Length - End.Length), "}") : text;
}

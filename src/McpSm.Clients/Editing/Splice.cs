namespace McpSm.Clients.Editing;

/// <summary>A replacement of one part of a text.</summary>
/// <param name="Start">The position in the old text.</param>
/// <param name="Length">The length of the part in the old text.</param>
/// <param name="Text">The new text of the part.</param>
internal readonly record struct Splice(int Start, int Length, string Text)
{
    public static Splice Insert(int position, string text) => new(position, 0, text);

    public static Splice Delete(int start, int end) => new(start, end - start, "");

    public static Splice Replace(int start, int end, string text) => new(start, end - start, text);
}

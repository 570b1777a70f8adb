using System.Text;

namespace McpSm.Clients.Editing;

/// <summary>The result of an edit.</summary>
/// <param name="Text">The whole new text.</param>
/// <param name="Insertions">What was inserted, in the order of the text. Empty if the edit also removed or replaced values.</param>
internal sealed record TextEdit(string Text, IReadOnlyList<TextInsertion> Insertions)
{
    /// <summary>Applies splices, which do not overlap, to a text.</summary>
    public static TextEdit Apply(string text, IEnumerable<Splice> splices)
    {
        var result = new StringBuilder(text.Length + 512);
        var insertions = new List<TextInsertion>();
        var copied = 0;
        foreach (var splice in splices.OrderBy(s => s.Start))
        {
            result.Append(text, copied, splice.Start - copied);
            insertions.Add(new(result.Length, splice.Text, text.Substring(splice.Start, splice.Length)));
            result.Append(splice.Text);
            copied = splice.Start + splice.Length;
        }
        return new(result.Append(text, copied, text.Length - copied).ToString(), insertions);
    }

    /// <summary>Returns the text before the insertions; null if the new text does not have them.</summary>
    public static string? Undo(string text, IReadOnlyList<TextInsertion> insertions)
    {
        var result = new StringBuilder(text.Length);
        var copied = 0;
        foreach (var insertion in insertions)
        {
            if (insertion.Start < copied || string.CompareOrdinal(text, insertion.Start, insertion.Text, 0, insertion.Text.Length) != 0)
            {
                return null;
            }
            result.Append(text, copied, insertion.Start - copied).Append(insertion.Replaced);
            copied = insertion.Start + insertion.Text.Length;
        }
        return result.Append(text, copied, text.Length - copied).ToString();
    }
}

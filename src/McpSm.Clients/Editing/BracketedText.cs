namespace McpSm.Clients.Editing;

/// <summary>Edits maps and lists in brackets, with commas between the elements: those of JSON, inline tables of TOML, the flow style of YAML.</summary>
internal sealed class BracketedText(string text, Trivia trivia)
{
    /// <summary>Adds an element after the last one: on a line of its own if the last one begins its line.</summary>
    public IReadOnlyList<Splice> AppendAfter((int Start, int End) last, string newLine, string separator, string element)
    {
        var comma = trivia.Comma(text, last.End);
        if (!TextLines.IsFirst(text, last.Start))
        {
            var blank = separator[1..];
            return [comma is { } trailing ? Splice.Insert(trailing + 1, $"{blank}{element},") : Splice.Insert(last.End, $",{blank}{element}")];
        }
        var line = $"{newLine}{TextLines.Indent(text, last.Start)}{element}";
        return comma is { } present
            ? [Splice.Insert(trivia.EndOnLine(text, present + 1), line + ",")]
            : [Splice.Insert(last.End, ","), Splice.Insert(trivia.EndOnLine(text, last.End), line)];
    }

    /// <summary>Removes an element with its comma and the comment behind it.</summary>
    public IReadOnlyList<Splice> Delete(ConfigurationValue collection, IReadOnlyList<(int Start, int End)> elements, int index)
    {
        var element = elements[index];
        var comma = trivia.Comma(text, element.End);
        var end = comma + 1 ?? element.End;
        if (elements.Count == 1 && string.IsNullOrWhiteSpace(text[(collection.Start + 1)..element.Start] + text[end..(collection.End - 1)]))
        {
            return [Splice.Delete(collection.Start + 1, collection.End - 1)];
        }
        var before = index == 0 ? collection.Start + 1 : (trivia.Comma(text, elements[index - 1].End) + 1)!.Value;
        var deleted = Extent(before, element.Start, end, index < elements.Count - 1);
        return index > 0 && index == elements.Count - 1 && comma is null ? [Splice.Delete(before - 1, before), deleted] : [deleted];
    }

    /// <summary>Returns the text to delete with an element: its line with the comment behind it, or the blanks beside it.</summary>
    private Splice Extent(int before, int start, int end, bool hasNext)
    {
        var commentEnd = trivia.EndOnLine(text, end);
        var isRestBlank = TextLines.IsBlank(text, commentEnd, TextLines.End(text, commentEnd));
        if (TextLines.IsFirst(text, start) && isRestBlank)
        {
            return Splice.Delete(TextLines.Start(text, start), TextLines.Next(text, commentEnd));
        }
        if (hasNext && !isRestBlank)
        {
            while (text[end] is ' ' or '\t')
            {
                end++;
            }
            return Splice.Delete(start, end);
        }
        var comment = trivia.LastComment(text, before, start);
        var blanks = comment is not { } last ? before : trivia.IsLineComment(text, last.Start) ? start : last.End;
        return Splice.Delete(blanks, end);
    }
}

namespace McpSm.Clients.Editing;

/// <summary>Finds blanks and comments between the tokens of a map or list in brackets.</summary>
/// <param name="lineMark">What begins a comment that ends with the line.</param>
/// <param name="hasBlocks">Whether there are comments in the style of C.</param>
internal sealed class Trivia(string lineMark, bool hasBlocks)
{
    /// <summary>JSON with comments.</summary>
    public static readonly Trivia Slashes = new("//", hasBlocks: true);

    /// <summary>TOML and YAML.</summary>
    public static readonly Trivia Hashes = new("#", hasBlocks: false);

    /// <summary>Returns the position after blanks and comments; null if a comment does not end.</summary>
    public int? Skip(string text, int position)
    {
        while (true)
        {
            position = SkipBlanks(text, position);
            if (!IsComment(text, position))
            {
                return position;
            }
            if (CommentEnd(text, position) is not { } end)
            {
                return null;
            }
            position = end;
        }
    }

    /// <summary>Returns the position of the comma after an element; null if the element has none.</summary>
    public int? Comma(string text, int elementEnd) => Skip(text, elementEnd) is { } next && next < text.Length && text[next] == ',' ? next : null;

    /// <summary>Returns the position after the comments that begin and end on this line, without the blanks after the last one.</summary>
    public int EndOnLine(string text, int position)
    {
        var lineEnd = TextLines.End(text, position);
        var end = position;
        while (true)
        {
            while (position < lineEnd && text[position] is ' ' or '\t')
            {
                position++;
            }
            if (position >= lineEnd || !IsComment(text, position) || CommentEnd(text, position) is not { } commentEnd || commentEnd > lineEnd)
            {
                return end;
            }
            end = position = commentEnd;
        }
    }

    /// <summary>Returns the last comment of a part that has only blanks and comments.</summary>
    public (int Start, int End)? LastComment(string text, int start, int end)
    {
        var last = ((int, int)?)null;
        for (var at = SkipBlanks(text, start); at < end; at = SkipBlanks(text, at))
        {
            var next = CommentEnd(text, at)!.Value;
            last = (at, next);
            at = next;
        }
        return last;
    }

    /// <summary>Whether a comment begins here that ends with the line.</summary>
    public bool IsLineComment(string text, int position) => string.CompareOrdinal(text, position, lineMark, 0, lineMark.Length) == 0;

    private bool IsComment(string text, int position) => IsLineComment(text, position)
        || (hasBlocks && string.CompareOrdinal(text, position, "/*", 0, 2) == 0);

    private int? CommentEnd(string text, int position)
    {
        if (IsLineComment(text, position))
        {
            var end = text.AsSpan(position).IndexOfAny('\r', '\n');
            return end < 0 ? text.Length : position + end;
        }
        var close = text.IndexOf("*/", position + 2, StringComparison.Ordinal);
        return close < 0 ? null : close + 2;
    }

    private static int SkipBlanks(string text, int position)
    {
        while (position < text.Length && text[position] is ' ' or '\t' or '\r' or '\n')
        {
            position++;
        }
        return position;
    }
}

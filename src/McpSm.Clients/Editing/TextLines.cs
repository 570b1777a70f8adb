namespace McpSm.Clients.Editing;

/// <summary>Finds lines in a text. A line ends with a line feed, which a carriage return may precede.</summary>
internal static class TextLines
{
    /// <summary>Returns the position of the first character of the line.</summary>
    public static int Start(string text, int position) => position == 0 ? 0 : text.LastIndexOf('\n', position - 1) + 1;

    /// <summary>Returns the position of the line end, or of the end of the text.</summary>
    public static int End(string text, int position)
    {
        var feed = text.IndexOf('\n', position);
        return feed < 0 ? text.Length : feed > 0 && text[feed - 1] == '\r' ? feed - 1 : feed;
    }

    /// <summary>Returns the position after the line end.</summary>
    public static int Next(string text, int position)
    {
        var feed = text.IndexOf('\n', position);
        return feed < 0 ? text.Length : feed + 1;
    }

    /// <summary>Returns the blank text at the start of the line.</summary>
    public static string Indent(string text, int position)
    {
        var start = Start(text, position);
        var end = start;
        while (end < text.Length && text[end] is ' ' or '\t')
        {
            end++;
        }
        return text[start..end];
    }

    /// <summary>Whether only blanks precede the position on its line.</summary>
    public static bool IsFirst(string text, int position) => IsBlank(text, Start(text, position), position);

    /// <summary>Whether a part of the text has only spaces, tabs and carriage returns.</summary>
    public static bool IsBlank(string text, int start, int end) => text.AsSpan(start, end - start).Trim(" \t\r").IsEmpty;

    /// <summary>Returns the line end of the text: that of the line before the position, else the first one, else a line feed.</summary>
    public static string NewLine(string text, int position)
    {
        var feed = position == 0 ? -1 : text.LastIndexOf('\n', position - 1);
        feed = feed < 0 ? text.IndexOf('\n') : feed;
        return feed > 0 && text[feed - 1] == '\r' ? "\r\n" : "\n";
    }

    /// <summary>Returns the line of a position, from 1.</summary>
    public static int Number(string text, int position) => text.AsSpan(0, position).Count('\n') + 1;

    /// <summary>Returns the column of a position, from 1.</summary>
    public static int Column(string text, int position) => position - Start(text, position) + 1;
}

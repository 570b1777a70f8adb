using System.Text;

namespace McpSm.Commands.Completion;

/// <summary>A command line of bash up to the cursor, and how readline must insert a completion into it.</summary>
/// <param name="Before">The words between the command and the word at the cursor, without quotes.</param>
/// <param name="Word">The word at the cursor, without quotes.</param>
/// <param name="Quote">The quote that is open at the cursor, or <c>'\0'</c>.</param>
/// <param name="FixedLength">The number of characters at the start of the word that readline does not replace.</param>
internal sealed record BashCommandLine(IReadOnlyList<string> Before, string Word, char Quote, int FixedLength)
{
    /// <summary>Splits a command line as bash does.</summary>
    /// <param name="line">The line from the command to the cursor.</param>
    /// <param name="breaks">Characters at which readline begins a new word, although the shell does not.</param>
    public static BashCommandLine Parse(string line, string breaks)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (quote, quoteStart, breakEnd, hasWord) = ('\0', 0, 0, false);
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (quote == '\0' && c is ' ' or '\t' or '\n')
            {
                if (hasWord)
                {
                    words.Add(word.ToString());
                    word.Clear();
                }
                (breakEnd, hasWord) = (0, false);
                continue;
            }
            hasWord = true;
            if (c == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && c is '\'' or '"')
            {
                (quote, quoteStart) = (c, word.Length);
            }
            else if (c == '\\' && quote != '\'' && i + 1 < line.Length && (quote == '\0' || line[i + 1] is '$' or '`' or '"' or '\\'))
            {
                word.Append(line[++i]);
            }
            else
            {
                word.Append(c);
                breakEnd = quote == '\0' && breaks.Contains(c) ? word.Length : breakEnd;
            }
        }
        return new BashCommandLine(words.Count == 0 ? [] : words[1..], word.ToString(), quote, quote == '\0' ? breakEnd : quoteStart);
    }

    /// <summary>Returns the text for readline to insert, or null if the suggestion differs from the part that readline does not replace.</summary>
    public string? Complete(string text) => !text.StartsWith(Word[..FixedLength], StringComparison.OrdinalIgnoreCase) ? null : Quote switch
    {
        '\'' => text[FixedLength..].Replace("'", @"'\''"),
        '"' => EscapeInDoubleQuotes(text[FixedLength..]),
        _ => EscapeUnquoted(text[FixedLength..]),
    };

    private static string EscapeUnquoted(string text)
    {
        var escaped = new StringBuilder();
        foreach (var c in text)
        {
            var isLiteral = char.IsLetterOrDigit(c) || char.IsSurrogate(c) || c is '-' or '_' or '.' or '/' or ':' or '=' or '@' or '%' or '+' or ',';
            escaped.Append(isLiteral ? "" : @"\").Append(c);
        }
        return escaped.ToString();
    }

    private static string EscapeInDoubleQuotes(string text)
    {
        var escaped = new StringBuilder();
        foreach (var c in text)
        {
            // Bash expands history inside double quotes, and keeps a backslash before '!' there. So '!' goes outside the quotes.
            escaped.Append(c switch
            {
                '$' or '`' or '"' or '\\' => @"\" + c,
                '!' => "\"\\!\"",
                _ => c.ToString(),
            });
        }
        return escaped.ToString();
    }
}

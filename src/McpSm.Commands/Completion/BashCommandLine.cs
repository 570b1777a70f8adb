using System.Text;

namespace McpSm.Commands.Completion;

/// <summary>A command line as bash's readline has it at the cursor, and how a word must be written to stand there.</summary>
/// <param name="Before">The words between the command and the cursor's, without their quotes.</param>
/// <param name="Word">The one at the cursor, without its quotes.</param>
/// <param name="Quote">The quote that is open at the cursor; none where it is 0.</param>
/// <param name="IsComplete">How many characters of the word stand before the place that readline replaces from.</param>
internal sealed record BashCommandLine(IReadOnlyList<string> Before, string Word, char Quote, int IsComplete)
{
    /// <param name="line">From the command to the cursor.</param>
    /// <param name="breaks">Characters at which readline begins a word, though they are none to the shell.</param>
    public static BashCommandLine Parse(string line, string breaks)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var (quote, opened, broken, begun) = ('\0', 0, 0, false);
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (quote == '\0' && c is ' ' or '\t' or '\n')
            {
                if (begun)
                {
                    words.Add(word.ToString());
                    word.Clear();
                }
                (broken, begun) = (0, false);
                continue;
            }
            begun = true;
            if (c == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && c is '\'' or '"')
            {
                (quote, opened) = (c, word.Length);
            }
            else if (c == '\\' && quote != '\'' && i + 1 < line.Length && (quote == '\0' || line[i + 1] is '$' or '`' or '"' or '\\'))
            {
                word.Append(line[++i]);
            }
            else
            {
                word.Append(c);
                broken = quote == '\0' && breaks.Contains(c) ? word.Length : broken;
            }
        }
        return new BashCommandLine(words.Count == 0 ? [] : words[1..], word.ToString(), quote, quote == '\0' ? broken : opened);
    }

    /// <summary>What readline puts in the place of the word; null where it would not fit behind what is settled.</summary>
    public string? Completed(string text) => !text.StartsWith(Word[..IsComplete], StringComparison.OrdinalIgnoreCase) ? null : Quote switch
    {
        '\'' => text[IsComplete..].Replace("'", @"'\''"),
        '"' => InDoubleQuotes(text[IsComplete..]),
        _ => Bare(text[IsComplete..]),
    };

    private static string Bare(string text)
    {
        var written = new StringBuilder();
        foreach (var c in text)
        {
            // Whatever is no letter, digit or mark that bash never reads as more than itself.
            written.Append(char.IsLetterOrDigit(c) || c is '-' or '_' or '.' or '/' or ':' or '=' or '@' or '%' or '+' or ',' || char.IsSurrogate(c) ? "" : @"\").Append(c);
        }
        return written.ToString();
    }

    private static string InDoubleQuotes(string text)
    {
        var written = new StringBuilder();
        foreach (var c in text)
        {
            // History is looked up inside double quotes too, and a backslash there would stay.
            written.Append(c switch
            {
                '$' or '`' or '"' or '\\' => @"\" + c,
                '!' => "\"\\!\"",
                _ => c.ToString(),
            });
        }
        return written.ToString();
    }
}

using System.Text;

namespace McpSm.Core.Browsing;

/// <summary>A program that opens a URL, and its arguments.</summary>
internal sealed record BrowserCommand(string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>Parses the value of BROWSER: a list of command lines, as in xdg-open and Python's webbrowser module.</summary>
    /// <param name="browsers">The value of BROWSER.</param>
    /// <param name="url">Replaces each word <c>%s</c>, or is appended if that word does not occur. <c>%s</c> inside a longer word is not replaced.</param>
    public static IEnumerable<BrowserCommand> ParseList(string browsers, string url)
    {
        foreach (var browser in browsers.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
        {
            if (SplitWords(browser) is [var program, .. var arguments])
            {
                yield return new BrowserCommand(program,
                    arguments.Contains("%s") ? [.. arguments.Select(a => a == "%s" ? url : a)] : [.. arguments, url]);
            }
        }
    }

    /// <summary>Splits a line at spaces outside quotes. Other characters are not special.</summary>
    public static List<string> SplitWords(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var quote = '\0';
        var inWord = false;
        foreach (var c in line)
        {
            if (quote != '\0' && c == quote)
            {
                quote = '\0';
            }
            else if (quote == '\0' && c is '"' or '\'')
            {
                quote = c;
                inWord = true;
            }
            else if (quote == '\0' && c == ' ')
            {
                if (inWord)
                {
                    words.Add(word.ToString());
                    word.Clear();
                }
                inWord = false;
            }
            else
            {
                word.Append(c);
                inWord = true;
            }
        }
        if (inWord)
        {
            words.Add(word.ToString());
        }
        return words;
    }
}

using System.Globalization;
using System.Text;

namespace McpSm.Core.Errors;

/// <summary>Text that came from the network and may be shown to a person.</summary>
public static class ForeignText
{
    private const int Longest = 300;

    /// <summary>
    /// One line of at most 300 characters without control, formatting (such as right-to-left overrides) or
    /// unpaired surrogate characters, so that it cannot move the cursor, recolour the terminal or pose as ours.
    /// </summary>
    public static string Clean(string? text) => Clean(text, []);

    /// <param name="sent">Secrets that the other side has seen: what it echoes of them is left out.</param>
    public static string Clean(string? text, params IEnumerable<string?> sent) => OneLine(Hide(text, sent));

    /// <summary>
    /// Text for a command that a person is told, who may paste it: as it is where every shell reads it as one argument that
    /// is no option, else the placeholder.
    /// </summary>
    public static string Argument(string text, string placeholder) => text.Length is > 0 and <= Longest && char.IsAsciiLetterOrDigit(text[0])
        && text.All(c => char.IsAsciiLetterOrDigit(c) || "-._~:/=+%".Contains(c)) ? text : placeholder;

    /// <summary>The text without these secrets, as they are or as a URL would carry them.</summary>
    public static string? Hide(string? text, IEnumerable<string?> secrets)
    {
        // Shorter ones are parts of words: hiding them would tell of them.
        foreach (var secret in secrets.Where(s => s is { Length: >= 8 }))
        {
            text = text?.Replace(secret!, "…", StringComparison.OrdinalIgnoreCase)
                .Replace(Uri.EscapeDataString(secret!), "…", StringComparison.OrdinalIgnoreCase);
        }
        return text;
    }

    private static string OneLine(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }
        if (text.Length < Longest && !text.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return text;
        }
        var clean = new StringBuilder(Math.Min(text.Length, Longest));
        var spaced = true;
        foreach (var rune in text.EnumerateRunes())
        {
            var hidden = Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse
                or UnicodeCategory.Surrogate or UnicodeCategory.OtherNotAssigned;
            if (hidden || Rune.IsWhiteSpace(rune))
            {
                if (!spaced && clean.Length < Longest - 1)
                {
                    clean.Append(' ');
                }
                spaced = true;
                continue;
            }
            if (clean.Length + rune.Utf16SequenceLength > Longest - 1)
            {
                return clean.Append('…').ToString();
            }
            clean.Append(rune.ToString());
            spaced = false;
        }
        return clean.ToString().TrimEnd();
    }
}

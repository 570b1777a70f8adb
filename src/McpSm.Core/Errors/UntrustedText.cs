using System.Globalization;
using System.Text;

namespace McpSm.Core.Errors;

/// <summary>Text that came from the network and may be shown to a person.</summary>
public static class UntrustedText
{
    private const int MaxLength = 300;

    /// <summary>
    /// One line of at most 300 characters without control, formatting (such as right-to-left overrides) or
    /// unpaired surrogate characters, so that it cannot move the cursor, recolour the terminal or pose as ours.
    /// The joiners that Persian words and emoji are written with stay. A URL gets its host in ASCII (RFC 5891): letters of other
    /// scripts can look like those of another host.
    /// </summary>
    public static string Sanitize(string? text) => Sanitize(text, []);

    /// <param name="sent">Secrets that the other side has seen: what it echoes of them is left out.</param>
    public static string Sanitize(string? text, params IEnumerable<string?> sent) => OneLine(Redact(WithAsciiHost(text), sent));

    /// <summary>The URL with its host in ASCII.</summary>
    public static Uri WithAsciiHost(Uri url) => Ascii.IsValid(url.Host) ? url
        // Not by UriBuilder: it refuses user information that Uri has taken.
        : new Uri($"{url.Scheme}://{(url.UserInfo.Length > 0 ? url.UserInfo + "@" : "")}{url.IdnHost}{(url.IsDefaultPort ? "" : $":{url.Port}")}"
            + url.PathAndQuery + url.Fragment);

    /// <summary>The same for text that is a URL; other text as it is.</summary>
    private static string? WithAsciiHost(string? text)
    {
        if (text is null || Ascii.IsValid(text) || !text.StartsWith("http", StringComparison.OrdinalIgnoreCase))
        {
            return text;
        }
        try
        {
            return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "https" or "http" && !Ascii.IsValid(url.Host)
                ? WithAsciiHost(url).AbsoluteUri : text;
        }
        catch (Exception e) when (e is UriFormatException or IndexOutOfRangeException)
        {
            // Such a host has no ASCII form. No URL with it is visited.
            return text;
        }
    }

    /// <summary>The text as the end of a sentence: with a full stop unless it brings an end of its own.</summary>
    public static string Sentence(string text) => text.Length > 0 && text[^1] is '.' or '!' or '?' or '…' ? text : text + ".";

    /// <summary>The text without these secrets, as they are or as a URL would carry them.</summary>
    public static string? Redact(string? text, IEnumerable<string?> secrets)
    {
        // Shorter ones are parts of words: hiding them would tell of them.
        foreach (var secret in secrets.Where(s => s is { Length: >= 8 }))
        {
            text = text?.Replace(secret!, "…", StringComparison.OrdinalIgnoreCase)
                .Replace(Uri.EscapeDataString(secret!), "…", StringComparison.OrdinalIgnoreCase);
        }
        return text;
    }

    /// <summary>
    /// A line of ours that may hold foreign text, of any length: hidden characters become spaces, and the spaces stay as they are.
    /// Every line is passed through here before a person sees it.
    /// </summary>
    public static string SanitizeLine(string? line)
    {
        if (string.IsNullOrEmpty(line) || !line.AsSpan().ContainsAnyExceptInRange(' ', '~'))
        {
            return line ?? "";
        }
        var clean = new StringBuilder(line.Length);
        for (var i = 0; i < line.Length;)
        {
            var (rune, length) = At(line, i);
            clean.Append(IsHidden(rune) && !IsJoiner(line, i) ? " " : rune.ToString());
            i += length;
        }
        return clean.ToString();
    }

    private static string OneLine(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }
        if (text.Length < MaxLength && !text.AsSpan().ContainsAnyExceptInRange('!', '~'))
        {
            return text;
        }
        var clean = new StringBuilder(Math.Min(text.Length, MaxLength));
        var spaced = true;
        for (var i = 0; i < text.Length;)
        {
            var (rune, length) = At(text, i);
            var isSpace = Rune.IsWhiteSpace(rune) || (IsHidden(rune) && !IsJoiner(text, i))
                || Rune.GetUnicodeCategory(rune) is UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
            i += length;
            if (isSpace)
            {
                if (!spaced && clean.Length < MaxLength - 1)
                {
                    clean.Append(' ');
                }
                spaced = true;
                continue;
            }
            if (clean.Length + rune.Utf16SequenceLength > MaxLength - 1)
            {
                // A joiner would join what was cut off.
                return $"{clean.ToString().TrimEnd(Joiner, NonJoiner)}…";
            }
            clean.Append(rune.ToString());
            spaced = false;
        }
        return clean.ToString().TrimEnd();
    }

    private const char NonJoiner = '\u200c';
    private const char Joiner = '\u200d';

    /// <summary>The rune at that place; a control character in the place of half a surrogate pair.</summary>
    private static (Rune Rune, int Length) At(string text, int index) => Rune.TryGetRuneAt(text, index, out var rune)
        ? (rune, rune.Utf16SequenceLength) : (new Rune('\0'), 1);

    /// <summary>Whether it moves the cursor, reorders or hides text, or ends a line.</summary>
    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    /// <summary>Whether it is one of the two joiners with a letter or a symbol on each side: Persian words and many emoji are written with them.</summary>
    private static bool IsJoiner(string text, int index) => text[index] is Joiner or NonJoiner && index > 0 && index + 1 < text.Length
        && IsJoined(text, index - (char.IsLowSurrogate(text[index - 1]) && index > 1 ? 2 : 1)) && IsJoined(text, index + 1);

    private static bool IsJoined(string text, int index) => Rune.TryGetRuneAt(text, index, out var rune) && Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter
        or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
        or UnicodeCategory.OtherSymbol or UnicodeCategory.ModifierSymbol;
}

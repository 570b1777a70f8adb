using System.Globalization;
using System.Text;

namespace McpSm.Core.Errors;

/// <summary>Makes text from the network safe to show.</summary>
internal static class UntrustedText
{
    private const int MaxLength = 300;

    /// <summary>
    /// Returns one line of at most 300 characters without control characters, format characters (such as right-to-left overrides) and unpaired
    /// surrogates, so that the text cannot move the cursor, change colors, or imitate our output. The joiners that Persian words and emoji need are
    /// kept. The host of a URL is converted to ASCII (RFC 5891), because letters of other scripts can look like the letters of another host.
    /// </summary>
    public static string Sanitize(string? text) => Sanitize(text, []);

    /// <summary>Returns the text as <see cref="Sanitize(string?)"/> does, without the given secrets.</summary>
    /// <param name="text">The text to show.</param>
    /// <param name="sent">Secrets that were sent to the server. They are removed, because the server may echo them.</param>
    public static string Sanitize(string? text, params IEnumerable<string?> sent) => OneLine(Redact(WithAsciiHost(text), sent));

    /// <summary>Returns the URL with its host in ASCII.</summary>
    public static Uri WithAsciiHost(Uri url) => Ascii.IsValid(url.Host) ? url
        // UriBuilder is not used: it rejects user information that Uri accepts.
        : new Uri($"{url.Scheme}://{(url.UserInfo.Length > 0 ? url.UserInfo + "@" : "")}{url.IdnHost}{(url.IsDefaultPort ? "" : $":{url.Port}")}"
            + url.PathAndQuery + url.Fragment);

    /// <summary>Returns the text with its host in ASCII if the text is a URL, and other text unchanged.</summary>
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
            // The host has no ASCII form. Mcpsm never visits such a URL.
            return text;
        }
    }

    /// <summary>Returns the text as the end of a sentence: adds a period unless the text has a final punctuation mark.</summary>
    public static string Sentence(string text) => text.Length > 0 && text[^1] is '.' or '!' or '?' or '…' ? text : text + ".";

    /// <summary>Returns the text without these secrets, whether they are plain or URL-encoded.</summary>
    public static string? Redact(string? text, IEnumerable<string?> secrets)
    {
        // Shorter secrets are skipped: they occur inside words, and hiding them there would reveal them.
        foreach (var secret in secrets.Where(s => s is { Length: >= 8 }))
        {
            text = text?.Replace(secret!, "…", StringComparison.OrdinalIgnoreCase)
                .Replace(Uri.EscapeDataString(secret!), "…", StringComparison.OrdinalIgnoreCase);
        }
        return text;
    }

    /// <summary>
    /// Returns a line of ours of any length that may contain text from the network. Hidden characters are replaced with spaces; existing spaces are
    /// kept. Every line that the user sees passes through this method.
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
        var endsWithSpace = true;
        for (var i = 0; i < text.Length;)
        {
            var (rune, length) = At(text, i);
            var isSpace = Rune.IsWhiteSpace(rune) || (IsHidden(rune) && !IsJoiner(text, i))
                || Rune.GetUnicodeCategory(rune) is UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
            i += length;
            if (isSpace)
            {
                if (!endsWithSpace && clean.Length < MaxLength - 1)
                {
                    clean.Append(' ');
                }
                endsWithSpace = true;
                continue;
            }
            if (clean.Length + rune.Utf16SequenceLength > MaxLength - 1)
            {
                // A joiner at the end would join with the ellipsis.
                return $"{clean.ToString().TrimEnd(Joiner, NonJoiner)}…";
            }
            clean.Append(rune.ToString());
            endsWithSpace = false;
        }
        return clean.ToString().TrimEnd();
    }

    private const char NonJoiner = '\u200c';
    private const char Joiner = '\u200d';

    /// <summary>Returns the rune at the index. Half of a surrogate pair is returned as a control character.</summary>
    private static (Rune Rune, int Length) At(string text, int index) => Rune.TryGetRuneAt(text, index, out var rune)
        ? (rune, rune.Utf16SequenceLength) : (new Rune('\0'), 1);

    /// <summary>Whether the rune moves the cursor, reorders or hides text, or ends a line.</summary>
    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    /// <summary>Whether the character is a joiner between two letters or symbols: Persian words and many emoji need these joiners.</summary>
    private static bool IsJoiner(string text, int index) => text[index] is Joiner or NonJoiner && index > 0 && index + 1 < text.Length
        && IsJoined(text, index - (char.IsLowSurrogate(text[index - 1]) && index > 1 ? 2 : 1)) && IsJoined(text, index + 1);

    private static bool IsJoined(string text, int index) => Rune.TryGetRuneAt(text, index, out var rune) && Rune.GetUnicodeCategory(rune) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter or UnicodeCategory.ModifierLetter
        or UnicodeCategory.OtherLetter or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
        or UnicodeCategory.OtherSymbol or UnicodeCategory.ModifierSymbol;
}

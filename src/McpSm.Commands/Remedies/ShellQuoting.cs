using System.Buffers;
using System.Globalization;
using System.Text;
using McpSm.Core.Errors;

namespace McpSm.Commands.Remedies;

/// <summary>
/// Quotes values in command lines that a person may paste into sh, bash, zsh, fish, PowerShell or cmd. All of them must read the
/// text as the same word.
/// </summary>
public static class ShellQuoting
{
    private const int MaxLength = 300;

    private static readonly SearchValues<char> Plain =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:/=+");

    // In no shell do these end double quotes or expand inside them. cmd expands %, so it is missing. A backslash is literal unless
    // it escapes the next character; QuoteOrPlaceholder excludes that.
    private static readonly SearchValues<char> Quotable = SearchValues.Create(" '(),@#[]{}~\\");

    /// <summary>
    /// Returns the value as one word that is not an option, in double quotes if it needs them. Returns the placeholder if no form is
    /// safe in every shell, or if a screen would not show the value as it is.
    /// </summary>
    /// <param name="value">The value, which may be hostile.</param>
    /// <param name="placeholder">A text for the user to fill in, such as <c>&lt;url&gt;</c>.</param>
    public static string QuoteOrPlaceholder(string? value, string placeholder)
    {
        if (value is not { Length: > 0 and <= MaxLength } || value != UntrustedText.Sanitize(value) || value[0] == '-')
        {
            return placeholder;
        }
        if (!value.AsSpan().ContainsAnyExcept(Plain) && (char.IsAsciiLetter(value[0]) || value[0] == '/' || (char.IsAsciiDigit(value[0]) && !IsNumber(value))))
        {
            return value;
        }
        return value.EnumerateRunes().All(IsQuotable) && !value.Contains(@"\\", StringComparison.Ordinal) && value[^1] != '\\' ? $"\"{value}\"" : placeholder;
    }

    private static bool IsQuotable(Rune rune) => rune.IsAscii ? Plain.Contains((char)rune.Value) || Quotable.Contains((char)rune.Value)
        : Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation
            or UnicodeCategory.OpenPunctuation or UnicodeCategory.SpaceSeparator);

    /// <summary>Returns whether PowerShell may read the value as a number (1kb, 0x10, 1e3, 007) and pass it on in another form.</summary>
    private static bool IsNumber(string value) =>
        value.Replace("e-", "", StringComparison.OrdinalIgnoreCase).All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '+');
}

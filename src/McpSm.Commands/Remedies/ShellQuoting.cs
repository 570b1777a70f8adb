using System.Buffers;
using System.Globalization;
using System.Text;
using McpSm.Core.Errors;

namespace McpSm.Commands.Remedies;

/// <summary>
/// Writes values into command lines that a person may paste into sh, bash, zsh, fish, PowerShell or cmd. The same text must
/// mean the same word in all of them.
/// </summary>
public static class ShellQuoting
{
    private const int MaxLength = 300;

    private static readonly SearchValues<char> Plain =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:/=+");

    // None of these ends double quotes or is expanded between them, in any of the shells. Not %, which cmd expands there.
    // A backslash is one if it escapes nothing.
    private static readonly SearchValues<char> Quotable = SearchValues.Create(" '(),@#[]{}~\\");

    /// <summary>
    /// The value as one word that is no option: as it is, or in double quotes. The placeholder if no form is safe in every
    /// shell, or if the value is not what a screen shows of it.
    /// </summary>
    /// <param name="placeholder">What a person fills in, such as <c>&lt;url&gt;</c>.</param>
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

    /// <summary>Whether PowerShell may read it as a number (1kb, 0x10, 1e3, 007), which it hands on in another form.</summary>
    private static bool IsNumber(string value) =>
        value.Replace("e-", "", StringComparison.OrdinalIgnoreCase).All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '+');
}

using System.Buffers;
using McpSm.Core.Errors;

namespace McpSm.PowerShell.Remedies;

/// <summary>Writes values into lines that a person may paste into PowerShell.</summary>
internal static class PowerShellQuoting
{
    private static readonly SearchValues<char> Plain =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:/=+");

    /// <summary>The value as one argument of a cmdlet: as it is, or in single quotes.</summary>
    public static string Argument(string value) =>
        value.Length > 0 && !value.AsSpan().ContainsAnyExcept(Plain) && char.IsAsciiLetterOrDigit(value[0]) ? value : Text(value);

    /// <summary>The value in single quotes, where PowerShell expands nothing.</summary>
    public static string Text(string value) =>
        // PowerShell takes each of these as a single quote, and two of them for one.
        $"'{string.Concat(UntrustedText.Sanitize(value).Select(c => c is '\'' or >= '\u2018' and <= '\u201b' ? $"{c}{c}" : $"{c}"))}'";
}

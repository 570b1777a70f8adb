using System.Buffers;
using McpSm.Core.Errors;

namespace McpSm.PowerShell.Remedies;

/// <summary>Quotes values for command lines that the user may paste into PowerShell.</summary>
internal static class PowerShellQuoting
{
    private static readonly SearchValues<char> Plain =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._:/=+");

    /// <summary>Returns a value as one argument of a cmdlet, in single quotes if it needs them.</summary>
    public static string Argument(string value) =>
        value.Length > 0 && !value.AsSpan().ContainsAnyExcept(Plain) && char.IsAsciiLetterOrDigit(value[0]) ? value : Text(value);

    /// <summary>Returns a value in single quotes. PowerShell expands nothing in them.</summary>
    public static string Text(string value) =>
        // PowerShell treats all these characters as single quotes; a doubled one stands for itself.
        $"'{string.Concat(UntrustedText.Sanitize(value).Select(c => c is '\'' or >= '\u2018' and <= '\u201b' ? $"{c}{c}" : $"{c}"))}'";
}

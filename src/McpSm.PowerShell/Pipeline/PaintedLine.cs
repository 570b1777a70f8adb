using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace McpSm.PowerShell.Pipeline;

/// <summary>
/// A line of a result with a coloured symbol. The line goes down the pipeline as a plain string, because it may be compared or
/// kept; Mcpsm.format.ps1xml looks up the coloured text when a host shows it. PowerShell then follows $PSStyle.OutputRendering.
/// </summary>
public static partial class PaintedLine
{
    private static readonly ConditionalWeakTable<string, string> Painted = [];

    /// <returns>The line itself, or, if it has a colour, a plain string with the type name that its view is found by.</returns>
    internal static object Of(string line)
    {
        if (!line.Contains('\e'))
        {
            return line;
        }
        var plain = Symbol().Replace(line, "$1");
        if (plain.Length == line.Length)
        {
            return line;
        }
        Painted.Add(plain, line);
        var shown = new PSObject(plain);
        shown.TypeNames.Insert(0, typeof(PaintedLine).FullName!);
        return shown;
    }

    /// <summary>The line with its colours. The same text in another string has none.</summary>
    public static string Paint(string line) => Painted.TryGetValue(line, out var painted) ? painted : line;

    [GeneratedRegex("\e\\[3[12]m(.)\e\\[0m")]
    private static partial Regex Symbol();
}

using System.Management.Automation;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace McpSm.PowerShell.Pipeline;

/// <summary>
/// A line of output with a coloured symbol. The pipeline gets a plain string, so that scripts can compare and store it.
/// Mcpsm.format.ps1xml looks up the coloured text when a host shows the string, and PowerShell then applies $PSStyle.OutputRendering.
/// </summary>
public static partial class PaintedLine
{
    private static readonly ConditionalWeakTable<string, string> Painted = [];

    /// <summary>Returns an object for the pipeline.</summary>
    /// <returns>The line, or for a coloured line a plain string with the type name that selects the view.</returns>
    internal static object Of(string line)
    {
        if (!line.Contains('\e'))
        {
            return line;
        }
        var plain = Symbol().Replace(line, "${symbol}");
        if (plain.Length == line.Length)
        {
            return line;
        }
        Painted.Add(plain, line);
        var shown = new PSObject(plain);
        shown.TypeNames.Insert(0, typeof(PaintedLine).FullName!);
        return shown;
    }

    /// <summary>Returns the line with its colours, for the same string object that <see cref="Of"/> returned; any other string is returned unchanged.</summary>
    public static string Paint(string line) => Painted.TryGetValue(line, out var painted) ? painted : line;

    [GeneratedRegex("\e\\[3[12]m(?<symbol>.)\e\\[0m", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Symbol();
}

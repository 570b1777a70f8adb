using System.ComponentModel;
using System.Globalization;
using ModelContextProtocol.Server;

namespace McpSm.Samples;

/// <summary>Three tools for checking that a call works.</summary>
[McpServerToolType]
internal sealed class SampleTools
{
    [McpServerTool(Name = "add", ReadOnly = true), Description("Adds two numbers.")]
    public static double Add([Description("The first.")] double a, [Description("The second.")] double b) => a + b;

    [McpServerTool(Name = "echo", ReadOnly = true), Description("Gives back what it was given.")]
    public static string Echo([Description("Any text.")] string text) => text;

    [McpServerTool(Name = "time", ReadOnly = true), Description("Tells the time in UTC, ISO 8601.")]
    public static string Time() => DateTimeOffset.UtcNow.ToString("O", CultureInfo.InvariantCulture);
}

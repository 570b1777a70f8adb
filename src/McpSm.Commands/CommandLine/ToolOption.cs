using System.CommandLine;
using McpSm.Core.Servers;

namespace McpSm.Commands.CommandLine;

/// <summary>An option that names tools, with <c>*</c> as a wildcard. It can be given several times.</summary>
internal static class ToolOption
{
    public static Option<string[]> Create(string name, string description) => new(name) { Description = description, HelpName = "pattern" };

    /// <summary>Returns the patterns, or null if the option is absent. A single empty value gives an empty list.</summary>
    public static IReadOnlyList<string>? Read(ParseResult parsed, Option<string[]> option) => parsed.GetResult(option) is null or { Implicit: true } ? null
        : ToolPattern.Split(parsed.GetValue(option));
}

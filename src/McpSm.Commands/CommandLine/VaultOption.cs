using System.CommandLine;
using System.CommandLine.Parsing;

namespace McpSm.Commands.CommandLine;

/// <summary><c>--vault</c>: the vault for what a command stores.</summary>
internal static class VaultOption
{
    private const string Name = "--vault";

    public static Option<string?> Create(string description) => new(Name) { Description = description, HelpName = "name" };

    /// <summary>Returns the vault that the user named, or null if the command has no such option or the option is absent.</summary>
    public static string? Read(ParseResult parsed) =>
        parsed.CommandResult.Children.OfType<OptionResult>().FirstOrDefault(o => o.Option.Name == Name) is { Tokens: [var token] } ? token.Value : null;
}

using System.CommandLine;
using System.CommandLine.Parsing;

namespace McpSm.Commands.CommandLine;

/// <summary>Secrets that a user typed on the command line. Nothing passes them on as arguments, which other users can see.</summary>
internal static class SecretArguments
{
    private static readonly string[] Options = ["--token", "--header"];

    public static bool Contains(ParseResult parsed) => parsed.CommandResult.Children.Any(IsSecret) || parsed.Tokens.Any(t => MayCarrySecret(t.Value));

    private static bool IsSecret(SymbolResult given) => given switch
    {
        OptionResult option => Options.Contains(option.Option.Name) && option.Tokens.Any(IsValue),
        ArgumentResult argument => argument.Argument.Name == "token" && argument.Tokens.Any(IsValue),
        _ => false,
    };

    /// <summary>Whether it is the secret itself, and not "-" or "name=-", which read standard input.</summary>
    private static bool IsValue(Token token) => token.Value != "-" && !token.Value.EndsWith("=-", StringComparison.Ordinal);

    /// <summary>Some servers take their key in the query or the user information of the URL.</summary>
    private static bool MayCarrySecret(string word) => word.Contains("://", StringComparison.Ordinal) && word.AsSpan().ContainsAny('?', '@');
}

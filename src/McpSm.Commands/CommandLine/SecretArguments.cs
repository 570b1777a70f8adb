using System.CommandLine;
using System.CommandLine.Parsing;

namespace McpSm.Commands.CommandLine;

/// <summary>Finds secrets on the command line. Other users can see arguments, so these must not become arguments of another program.</summary>
internal static class SecretArguments
{
    private static readonly string[] Options = ["--token", "--header"];

    public static bool Contains(ParseResult parsed) => parsed.CommandResult.Children.Any(IsSecret) || parsed.Tokens.Any(t => MayCarrySecret(t.Value));

    private static bool IsSecret(SymbolResult symbol) => symbol switch
    {
        OptionResult option => Options.Contains(option.Option.Name) && option.Tokens.Any(IsValue),
        ArgumentResult argument => argument.Argument.Name == "token" && argument.Tokens.Any(IsValue),
        _ => false,
    };

    /// <summary>Returns false for <c>-</c> and <c>name=-</c>, which stand for standard input.</summary>
    private static bool IsValue(Token token) => token.Value != "-" && !token.Value.EndsWith("=-", StringComparison.Ordinal);

    /// <summary>Returns true for a URL with a query or user information, which is how some servers expect their key.</summary>
    private static bool MayCarrySecret(string word) => word.Contains("://", StringComparison.Ordinal) && word.AsSpan().ContainsAny('?', '@');
}

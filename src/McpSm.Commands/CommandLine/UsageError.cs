using System.CommandLine;
using System.CommandLine.Parsing;
using McpSm.Commands.Output;
using McpSm.Core.Errors;

namespace McpSm.Commands.CommandLine;

/// <summary>
/// What is wrong with a command line, said without repeating any of it: what stands in the wrong place may be a
/// token. Only names that are ours are printed.
/// </summary>
internal static class UsageError
{
    public static int Report(ParseResult parsed, IReadOnlyList<string> arguments, CommandContext context)
    {
        var path = Path(parsed.CommandResult);
        return Report(Describe(parsed, arguments, parsed.CommandResult.Command, path), $"{path} --help", context);
    }

    /// <summary>A word that stands where a command should.</summary>
    /// <param name="path">The words of the command that has none of that name.</param>
    public static int ReportUnknown(Command root, IReadOnlyList<string> path, string word, CommandContext context)
    {
        var command = path.Aggregate(root, (above, name) => above.Subcommands.First(c => c.Name == name));
        var said = string.Join(' ', ["mcpsm", .. path]);
        return Report($"{said} has no such command.{DidYouMean(root, word, Names(command))}", $"{said} --help", context);
    }

    public static int Report(string what, string next, CommandContext context)
    {
        context.Console.Error.WriteLine(UntrustedText.SanitizeLine($"{StatusText.FailureSymbol} {what}"));
        context.Console.Error.WriteLine($"  {next}");
        return ExitCode.WrongUsage;
    }

    /// <summary>
    /// A misspelt option that the parser took for an argument, and so perhaps for a token; null where there is none.
    /// </summary>
    public static string? StrayOption(ParseResult parsed, IReadOnlyList<string> arguments) => arguments.Contains("--") ? null
        : parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(a => a.Tokens).Select(t => t.Value)
            .FirstOrDefault(v => v.Length > 1 && v[0] == '-');

    /// <summary>
    /// Whether something stands in front of a verb that would never be looked at, as in <c>auth my-api logout other</c>.
    /// </summary>
    public static bool IsInterrupted(ParseResult parsed)
    {
        for (var above = parsed.CommandResult.Parent as CommandResult; above is not null; above = above.Parent as CommandResult)
        {
            if (above.Children.OfType<ArgumentResult>().Any(a => a.Tokens.Count > 0)
                || above.Children.OfType<OptionResult>().Any(o => o is { Implicit: false, Option.Recursive: false }))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The nearest of the words that can stand there, else the commands elsewhere that have the very name; nothing where there is none.</summary>
    public static string DidYouMean(Command root, string word, IEnumerable<string> words)
    {
        IEnumerable<string> meant = Nearest(word, [.. words]) is { } near ? [near] : SuggestOtherPlace(root, "mcpsm", word);
        return meant.Any() ? $" Did you mean {string.Join(" or ", meant.Select(w => $"'{w}'"))}?" : "";
    }

    /// <summary>The nearest of some words, where one is near or begins so.</summary>
    private static string? Nearest(string word, IReadOnlyList<string> words)
    {
        var best = words.Select(w => (Word: w, Distance: Distance(word.ToLowerInvariant(), w.ToLowerInvariant())))
            .Where(w => w.Distance <= Math.Max(1, Math.Min(w.Word.Length, word.Length) / 3))
            .OrderBy(w => w.Distance).FirstOrDefault();
        return best.Word ?? (word.TrimStart('-').Length < 2 ? null
            : words.Where(w => w.StartsWith(word, StringComparison.OrdinalIgnoreCase)).MinBy(w => w.Length));
    }

    private static IEnumerable<string> SuggestOtherPlace(Command command, string path, string word) => command.Subcommands.SelectMany(c =>
        (c.Name == word ? new[] { $"{path} {c.Name}" } : []).Concat(SuggestOtherPlace(c, $"{path} {c.Name}", word)));

    private static IEnumerable<string> Names(Command command) => command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name);

    private static string Describe(ParseResult parsed, IReadOnlyList<string> arguments, Command command, string path)
    {
        var missing = command.Options.Where(o => o.Required && parsed.GetResult(o) is null or { Implicit: true }).Select(o => o.Name).ToList();
        if (missing.Count > 0)
        {
            return $"{path} needs {string.Join(" and ", missing)}.";
        }
        if (parsed.CommandResult.Children.OfType<OptionResult>().FirstOrDefault(o => o.Errors.Any()) is { } option)
        {
            return option.Tokens.Count > option.Option.Arity.MaximumNumberOfValues ? $"{option.Option.Name} can be given once."
                : $"The value of {option.Option.Name} is missing or cannot be used{Choices(option.Option)}.";
        }
        if (IsInterrupted(parsed))
        {
            return $"The arguments and options of {path} stand behind it.";
        }
        if ((StrayOption(parsed, arguments) ?? parsed.UnmatchedTokens.FirstOrDefault()) is { } word)
        {
            var root = parsed.RootCommandResult.Command;
            return word.StartsWith('-') ? $"{path} has no such option.{DidYouMean(root, word.Split('=', ':')[0], Options(root, command))}"
                : command.Subcommands.Count > 0 && command.Arguments.Count == 0 ? $"{path} has no such command.{DidYouMean(root, word, Names(command))}"
                : $"{path} was given an argument too many.{(command.Subcommands.Count > 0 ? DidYouMean(root, word, Names(command)) : "")}";
        }
        if (command.Arguments.FirstOrDefault(a => a.Arity.MinimumNumberOfValues > 0) is { } argument)
        {
            return $"{path} needs <{argument.Name}>.";
        }
        return command.Subcommands.Count > 0 ? $"{path} needs a command." : $"{path} cannot be used so.";
    }

    private static IEnumerable<string> Options(Command root, Command command) =>
        command.Options.Concat(root.Options.Where(o => o.Recursive)).Where(o => !o.Hidden).Select(o => o.Name).Distinct();

    private static string Choices(Option option) =>
        option.Name switch
        {
            "--type" => "; it is http or sse",
            "--dpop" => "; it is auto, always or never",
            "--callback-port" => "; it is a port, 0 to 65535",
            "--throttle-limit" => "; it is a number, 1 to 1024",
            "--timeout" => "; it is a number of seconds, 1 to 86400",
            _ => "",
        };

    /// <summary>The words of the command, <c>mcpsm</c> first.</summary>
    public static string Path(CommandResult result) => result.Parent is CommandResult parent
        ? $"{Path(parent)} {result.Command.Name}" : "mcpsm";

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 1; j <= b.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[^1];
    }
}

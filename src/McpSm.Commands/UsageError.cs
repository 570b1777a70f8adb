using System.CommandLine;
using System.CommandLine.Parsing;

namespace McpSm.Commands;

/// <summary>
/// What is wrong with a command line, said without repeating any of it: what stands in the wrong place may be a
/// token. Only names that are ours are printed.
/// </summary>
internal static class UsageError
{
    public static int Report(ParseResult parsed, IReadOnlyList<string> arguments, CommandContext context)
    {
        var command = parsed.CommandResult.Command;
        var path = Path(parsed.CommandResult);
        var error = context.Console.Error;
        error.WriteLine($"{Words.Bad} {What(parsed, arguments, command, path)}");
        error.WriteLine($"  {path} --help");
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

    /// <summary>The nearest of some words, where one is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> words)
    {
        var best = words.Select(w => (Word: w, Distance: Distance(word.ToLowerInvariant(), w.ToLowerInvariant())))
            .Where(w => w.Distance <= Math.Max(1, Math.Min(w.Word.Length, word.Length) / 3))
            .OrderBy(w => w.Distance).FirstOrDefault();
        return best.Word;
    }

    private static string What(ParseResult parsed, IReadOnlyList<string> arguments, Command command, string path)
    {
        if (parsed.CommandResult.Children.OfType<OptionResult>().FirstOrDefault(o => o.Errors.Any()) is { } option)
        {
            return $"The value of {option.Option.Name} is missing or cannot be used{Choices(option.Option)}.";
        }
        var missing = command.Options.FirstOrDefault(o => o.Required && parsed.GetResult(o) is null or { Implicit: true });
        if (missing is not null)
        {
            return $"{path} needs {missing.Name}.";
        }
        if (IsInterrupted(parsed))
        {
            return $"The arguments and options of {path} stand behind it.";
        }
        if ((StrayOption(parsed, arguments) ?? parsed.UnmatchedTokens.FirstOrDefault()) is { } word)
        {
            var isOption = word.StartsWith('-');
            var near = Nearest(word.Split('=', ':')[0], isOption ? command.Options.Where(o => !o.Hidden).Select(o => o.Name)
                : command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name));
            return (isOption ? $"{path} has no such option."
                : command.Subcommands.Count > 0 && command.Arguments.Count == 0 ? $"{path} has no such command." : $"{path} was given an argument too many.")
                + (near is null ? "" : $" Did you mean '{near}'?");
        }
        if (command.Arguments.FirstOrDefault(a => a.Arity.MinimumNumberOfValues > 0) is { } argument)
        {
            return $"{path} needs <{argument.Name}>.";
        }
        return command.Subcommands.Count > 0 ? $"{path} needs a command." : $"{path} cannot be used so.";
    }

    private static string Choices(Option option) =>
        option.Name switch
        {
            "--type" => "; it is http or sse",
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

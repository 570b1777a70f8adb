using System.CommandLine;
using System.CommandLine.Parsing;
using McpSm.Commands.Output;
using McpSm.Core.Errors;

namespace McpSm.Commands.CommandLine;

/// <summary>
/// Reports a wrong command line without repeating any argument, because a misplaced argument may be a token. Messages contain only
/// the names of commands and options of Mcpsm, and of servers as suggestions.
/// </summary>
internal static class UsageError
{
    public static int Report(ParseResult parsed, IReadOnlyList<string> arguments, CommandContext context)
    {
        var path = Path(parsed.CommandResult);
        return Report(Describe(parsed, arguments, parsed.CommandResult.Command, path), $"{path} --help", context);
    }

    /// <summary>Reports that a word is not a command.</summary>
    /// <param name="root">The command <c>mcpsm</c>.</param>
    /// <param name="path">The words before it, which are commands.</param>
    /// <param name="word">The unknown word. It is not printed.</param>
    /// <param name="context">The console.</param>
    public static int ReportUnknown(Command root, IReadOnlyList<string> path, string word, CommandContext context)
    {
        var command = path.Aggregate(root, (parent, name) => parent.Subcommands.First(c => c.Name == name));
        var line = string.Join(' ', ["mcpsm", .. path]);
        return Report($"{line} does not have this command.{DidYouMean(root, word, Names(command))}", $"{line} --help", context);
    }

    public static int Report(string message, string nextCommand, CommandContext context)
    {
        context.Console.Error.WriteLine(UntrustedText.SanitizeLine($"{StatusText.FailureSymbol} {message}"));
        context.Console.Error.WriteLine($"  {nextCommand}");
        return ExitCode.WrongUsage;
    }

    /// <summary>
    /// Returns an argument that looks like an option, or null. The parser takes a misspelt option for an argument, and a command
    /// could store it as a token.
    /// </summary>
    public static string? FindStrayOption(ParseResult parsed, IReadOnlyList<string> arguments) => arguments.Contains("--") ? null
        : parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(a => a.Tokens).Select(t => t.Value)
            .FirstOrDefault(v => v.Length > 1 && v[0] == '-');

    /// <summary>
    /// Returns whether there are arguments or options before a subcommand, which would be ignored, as in <c>auth my-api logout other</c>.
    /// </summary>
    public static bool IsInterrupted(ParseResult parsed)
    {
        for (var parent = parsed.CommandResult.Parent as CommandResult; parent is not null; parent = parent.Parent as CommandResult)
        {
            if (parent.Children.OfType<ArgumentResult>().Any(a => a.Tokens.Count > 0)
                || parent.Children.OfType<OptionResult>().Any(o => o is { Implicit: false, Option.Recursive: false }))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>
    /// Suggests the candidate that is most similar to a word, or all commands that have this name under another command. Returns an
    /// empty text if there are none.
    /// </summary>
    /// <param name="root">The command <c>mcpsm</c>.</param>
    /// <param name="word">The word that the user typed.</param>
    /// <param name="candidates">The words that would be valid.</param>
    public static string DidYouMean(Command root, string word, IEnumerable<string> candidates)
    {
        IEnumerable<string> suggestions = FindNearest(word, [.. candidates]) is { } nearest ? [nearest] : FindElsewhere(root, "mcpsm", word);
        return suggestions.Any() ? $" Did you mean {string.Join(" or ", suggestions.Select(s => $"'{s}'"))}?" : "";
    }

    /// <summary>Returns the candidate with the smallest edit distance, else the shortest that begins with the word, else null.</summary>
    private static string? FindNearest(string word, IReadOnlyList<string> candidates)
    {
        var best = candidates.Select(w => (Word: w, Distance: Distance(word.ToLowerInvariant(), w.ToLowerInvariant())))
            .Where(w => w.Distance <= Math.Max(1, Math.Min(w.Word.Length, word.Length) / 3))
            .OrderBy(w => w.Distance).FirstOrDefault();
        return best.Word ?? (word.TrimStart('-').Length < 2 ? null
            : candidates.Where(w => w.StartsWith(word, StringComparison.OrdinalIgnoreCase)).MinBy(w => w.Length));
    }

    private static IEnumerable<string> FindElsewhere(Command command, string path, string word) => command.Subcommands.SelectMany(c =>
        (c.Name == word ? new[] { $"{path} {c.Name}" } : []).Concat(FindElsewhere(c, $"{path} {c.Name}", word)));

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
            return option.Tokens.Count > option.Option.Arity.MaximumNumberOfValues ? $"{option.Option.Name} can be given only once."
                : $"The value of {option.Option.Name} is missing or invalid.{Choices(option.Option)}";
        }
        if (IsInterrupted(parsed))
        {
            return $"Put arguments and options after '{path}'.";
        }
        if ((FindStrayOption(parsed, arguments) ?? parsed.UnmatchedTokens.FirstOrDefault()) is { } word)
        {
            var root = parsed.RootCommandResult.Command;
            return word.StartsWith('-') ? $"{path} does not have this option.{DidYouMean(root, word.Split('=', ':')[0], Options(root, command))}"
                : command.Subcommands.Count > 0 && command.Arguments.Count == 0 ? $"{path} does not have this command.{DidYouMean(root, word, Names(command))}"
                : $"{path} was given too many arguments.{(command.Subcommands.Count > 0 ? DidYouMean(root, word, Names(command)) : "")}";
        }
        if (command.Arguments.FirstOrDefault(a => a.Arity.MinimumNumberOfValues > 0) is { } argument)
        {
            return $"{path} needs <{argument.Name}>.";
        }
        return command.Subcommands.Count > 0 ? $"{path} needs a command." : $"{path} was given invalid arguments.";
    }

    private static IEnumerable<string> Options(Command root, Command command) =>
        command.Options.Concat(root.Options.Where(o => o.Recursive)).Where(o => !o.Hidden).Select(o => o.Name).Distinct();

    private static string Choices(Option option) =>
        option.Name switch
        {
            "--type" => " Use http or sse.",
            "--dpop" => " Use auto, always or never.",
            "--callback-port" or "--port" => " Use a port from 0 to 65535.",
            "--throttle-limit" => " Use a number from 1 to 1024.",
            "--timeout" => " Use a number of seconds from 1 to 86400.",
            _ => "",
        };

    /// <summary>Returns the words of the command, with <c>mcpsm</c> first.</summary>
    public static string Path(CommandResult result) => result.Parent is CommandResult parent
        ? $"{Path(parent)} {result.Command.Name}" : "mcpsm";

    /// <summary>Returns the Levenshtein distance.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 1; j <= b.Length; j++)
            {
                var upper = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = upper;
            }
        }
        return row[^1];
    }
}

using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using McpSm.Commands.Output;
using McpSm.Core.Management;

namespace McpSm.Commands.Completion;

/// <summary>
/// What may stand at the cursor of a command line, as the scripts of <c>mcpsm completion</c> ask for it:
/// <c>mcpsm [suggest]</c> reads the words behind <c>mcpsm</c>, one a line, the one at the cursor last, and answers in lines
/// of a word, a tab and what it is; <c>mcpsm [suggest:bash]</c> reads bash's line up to the cursor and answers in words as
/// that shell takes them. The line comes through standard input because others see arguments, and it may hold a token.
/// </summary>
internal static class CompletionEngine
{
    private const string OfWords = "[suggest]";
    private const string OfBash = "[suggest:bash]";

    public static bool IsRequested(IReadOnlyList<string> arguments) => arguments is [OfWords or OfBash, ..];

    /// <param name="arguments">For bash also the characters that end a word there besides white space, like <c>:=</c>.</param>
    public static async Task<int> AnswerAsync(IReadOnlyList<string> arguments, Command root, ICommandConsole console, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        while (await console.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            lines.Add(line);
        }
        if (arguments[0] == OfBash)
        {
            var typed = BashCommandLine.Parse(string.Join('\n', lines), arguments.ElementAtOrDefault(1) ?? "");
            foreach (var (text, _) in Complete(root, typed.Before, typed.Word))
            {
                if (typed.Completed(text) is { } completed)
                {
                    console.Out.WriteLine(completed);
                }
            }
            return ExitCode.Done;
        }
        foreach (var (text, about) in lines.Count == 0 ? [] : Complete(root, lines[..^1], lines[^1]))
        {
            console.Out.WriteLine($"{text}\t{about}");
        }
        return ExitCode.Done;
    }

    /// <summary>
    /// Gives every argument and option of the tree what it completes from; only for this, or their help would list it.
    /// </summary>
    public static void AddSources(Command command, CompletionCandidates known)
    {
        foreach (var server in command.Arguments.Where(a => a.Name == "server"))
        {
            // Found by its name too, which two may have: the library drops items of one label.
            server.CompletionSources.Add(_ => known.Servers(plain: true).Select(s => new CompletionItem(s.Known.Value, documentation: s.Server.Name, detail: s.Known.ToolTip)));
        }
        foreach (var (name, sources) in command.Arguments.Select(a => (a.Name, a.CompletionSources)).Concat(command.Options.Select(o => (o.Name, o.CompletionSources))))
        {
            Func<IEnumerable<CompletionCandidate>>? names = name switch
            {
                "vault" or "--vault" => known.Vaults,
                "--issuer" => known.Issuers,
                "issuer" or "--identity-provider" => known.IdentityProviders,
                "--scope" => known.Scopes,
                _ when name.EndsWith("-from-env", StringComparison.Ordinal) => CompletionCandidates.Variables,
                _ => null,
            };
            if (names is not null)
            {
                sources.Add(_ => names().Select(n => new CompletionItem(n.Value, detail: n.ToolTip)));
            }
        }
        foreach (var below in command.Subcommands)
        {
            AddSources(below, known);
        }
    }

    /// <param name="before">The words between <c>mcpsm</c> and the one at the cursor.</param>
    /// <param name="word">The one at the cursor, as far as it is typed.</param>
    internal static IEnumerable<CompletionCandidate> Complete(Command root, IReadOnlyList<string> before, string word)
    {
        var command = root.Parse(before, McpsmCommand.Parsing).CommandResult;
        var options = command.Command.Options.Concat(root.Options.Where(o => o.Recursive)).Where(o => !o.Hidden).Distinct().ToList();
        var onlyArguments = before.Contains("--");
        if (!onlyArguments && word.StartsWith("--", StringComparison.Ordinal) && word.IndexOf('=') is > 0 and var at)
        {
            var named = options.FirstOrDefault(o => Answers(o, word[..at]));
            return named is null ? [] : AfterOption(word[..(at + 1)], OfValue(named, word[(at + 1)..], named.GetCompletions(CompletionContext.Empty)));
        }
        if (!onlyArguments && word.StartsWith('-'))
        {
            return StartingWith(word, Names(options, command));
        }
        if (!onlyArguments && Open(options, before) is { } open)
        {
            return OfValue(open, word, Arguments(open.GetCompletions(CompletionContext.Empty)));
        }
        var given = command.Children.Any(c => c is ArgumentResult { Tokens.Count: > 0 } or OptionResult { Implicit: false });
        // A verb behind a server or an option would be refused.
        IEnumerable<CompletionItem> items = given ? [] : command.Command.Subcommands.Where(c => !c.Hidden).Select(c => new CompletionItem(c.Name, detail: c.Description));
        var next = command.Command.Arguments.FirstOrDefault(a => (command.GetResult(a)?.Tokens.Count ?? 0) < a.Arity.MaximumNumberOfValues);
        items = next is null ? items : items.Concat(onlyArguments ? next.GetCompletions(CompletionContext.Empty)
            : Arguments(next.GetCompletions(CompletionContext.Empty)));
        return StartingWith(word, next is null && word.Length == 0 && (given || command.Command.Subcommands.Count == 0) ? Names(options, command) : items);
    }

    private static IEnumerable<CompletionCandidate> OfValue(Option option, string word, IEnumerable<CompletionItem> items) =>
        // The variable stands behind the name of the header.
        option.Name != "--header-from-env" ? StartingWith(word, items)
            : word.IndexOf('=') is > 0 and var at ? AfterOption(word[..(at + 1)], StartingWith(word[(at + 1)..], items)) : [];

    private static IEnumerable<CompletionCandidate> AfterOption(string begin, IEnumerable<CompletionCandidate> values) => values.Select(v => v with { Value = begin + v.Value });

    /// <summary>The option whose value stands at the cursor; null where none wants one.</summary>
    private static Option? Open(List<Option> options, IReadOnlyList<string> before)
    {
        for (var i = before.Count - 1; i >= 0; i--)
        {
            if (before[i].StartsWith('-'))
            {
                var option = options.FirstOrDefault(o => Answers(o, before[i]));
                var values = before.Count - 1 - i;
                return option is { Arity.MaximumNumberOfValues: > 0 } && option.ValueType != typeof(bool)
                    && (values == 0 || option.AllowMultipleArgumentsPerToken) ? option : null;
            }
        }
        return null;
    }

    /// <summary>Without those that would be read as an option: another program may have named a server <c>-rf</c>.</summary>
    private static IEnumerable<CompletionItem> Arguments(IEnumerable<CompletionItem> items) => items.Where(i => !i.Label.StartsWith('-'));

    private static bool Answers(Option option, string name) => option.Name == name || option.Aliases.Contains(name);

    /// <summary>The options that may still be given. Their short forms are no shorter to complete than to type.</summary>
    private static IEnumerable<CompletionItem> Names(List<Option> options, CommandResult command) => options
        .Where(o => o.Arity.MaximumNumberOfValues > 1 || command.GetResult(o) is null or { Implicit: true })
        .Select(o => new CompletionItem(o.Name, detail: o.Description));

    private static IEnumerable<CompletionCandidate> StartingWith(string word, IEnumerable<CompletionItem> items) => items
        .Where(i => i.Label.StartsWith(word, StringComparison.OrdinalIgnoreCase) || i.Documentation?.StartsWith(word, StringComparison.OrdinalIgnoreCase) == true)
        .Select(i => new CompletionCandidate(i.Label, i.Detail ?? ""));
}

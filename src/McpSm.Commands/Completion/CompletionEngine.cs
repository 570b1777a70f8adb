using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using McpSm.Clients.Catalog;
using McpSm.Commands.Output;
using McpSm.Core.Management;

namespace McpSm.Commands.Completion;

/// <summary>
/// Suggests words for the cursor of a command line, for the scripts of <c>mcpsm completion</c>.
/// </summary>
/// <remarks>
/// <c>mcpsm [suggest]</c> reads the words after <c>mcpsm</c>, one a line, up to and including the word at the cursor. It prints one
/// suggestion a line: the word, a tab, and a description. <c>mcpsm [suggest:bash]</c> reads a command line of bash up to the cursor, and
/// prints suggestions with the escapes of bash. Both read standard input, because other users can see arguments, and one may be a token.
/// </remarks>
internal static class CompletionEngine
{
    private const string ForWords = "[suggest]";
    private const string ForBash = "[suggest:bash]";

    public static bool IsRequested(IReadOnlyList<string> arguments) => arguments is [ForWords or ForBash, ..];

    /// <summary>Reads the command line from the console and prints suggestions.</summary>
    /// <param name="arguments">The mode; for bash, followed by the characters that end a word in addition to white space, such as <c>:=</c>.</param>
    /// <param name="root">The command <c>mcpsm</c>, after <see cref="AddSources"/>.</param>
    /// <param name="console">The console.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    public static async Task<int> AnswerAsync(IReadOnlyList<string> arguments, Command root, ICommandConsole console, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        while (await console.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } line)
        {
            lines.Add(line);
        }
        if (arguments[0] == ForBash)
        {
            var typed = BashCommandLine.Parse(string.Join('\n', lines), arguments.ElementAtOrDefault(1) ?? "");
            foreach (var (text, _) in Complete(root, typed.Before, typed.Word))
            {
                if (typed.Complete(text) is { } completed)
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
    /// Adds completion sources to all arguments and options. Only completion does this, because the help lists the suggestions of
    /// an option.
    /// </summary>
    public static void AddSources(Command command, CompletionCandidates candidates)
    {
        foreach (var server in command.Arguments.Where(a => a.Name == "server"))
        {
            // The label is the id, which is unique: the library drops items with equal labels. The name is in the documentation, so
            // that it matches too.
            server.CompletionSources.Add(_ => candidates.Servers(plain: true)
                .Select(s => new CompletionItem(s.Known.Value, documentation: s.Server.Name, detail: s.Known.ToolTip)));
        }
        var symbols = command.Arguments.Select(a => (a.Name, a.CompletionSources)).Concat(command.Options.Select(o => (o.Name, o.CompletionSources)));
        foreach (var (name, sources) in symbols)
        {
            Func<IEnumerable<CompletionCandidate>>? source = name switch
            {
                "vault" or "--vault" => candidates.Vaults,
                "setting" => CompletionCandidates.Settings,
                "client" => ListClients,
                "--issuer" => candidates.Issuers,
                "issuer" or "--identity-provider" => candidates.IdentityProviders,
                "--scope" => candidates.Scopes,
                _ when name.EndsWith("-from-env", StringComparison.Ordinal) => candidates.Variables,
                _ => null,
            };
            if (source is not null)
            {
                sources.Add(_ => source().Select(c => new CompletionItem(c.Value, detail: c.ToolTip)));
            }
        }
        foreach (var subcommand in command.Subcommands)
        {
            AddSources(subcommand, candidates);
        }
    }

    private static IEnumerable<CompletionCandidate> ListClients() =>
        ClientCatalog.Clients.Select(client => new CompletionCandidate(client.Id, client.Title));

    /// <summary>Returns the suggestions for the word at the cursor.</summary>
    /// <param name="root">The command <c>mcpsm</c>.</param>
    /// <param name="before">The words between <c>mcpsm</c> and the word at the cursor.</param>
    /// <param name="word">The part of the word before the cursor.</param>
    internal static IEnumerable<CompletionCandidate> Complete(Command root, IReadOnlyList<string> before, string word)
    {
        var command = root.Parse(before, McpsmCommand.Parsing).CommandResult;
        var options = command.Command.Options.Concat(root.Options.Where(o => o.Recursive)).Where(o => !o.Hidden).Distinct().ToList();
        var onlyArguments = before.Contains("--");
        if (!onlyArguments && word.StartsWith("--", StringComparison.Ordinal) && word.IndexOf('=') is > 0 and var at)
        {
            var named = options.FirstOrDefault(o => HasName(o, word[..at]));
            return named is null ? [] : AddPrefix(word[..(at + 1)], CompleteValue(named, word[(at + 1)..], named.GetCompletions(CompletionContext.Empty)));
        }
        if (!onlyArguments && word.StartsWith('-'))
        {
            return StartingWith(word, AvailableOptions(options, command));
        }
        if (!onlyArguments && FindOpenOption(options, before) is { } open)
        {
            return CompleteValue(open, word, WithoutOptions(open.GetCompletions(CompletionContext.Empty)));
        }
        var given = command.Children.Any(c => c is ArgumentResult { Tokens.Count: > 0 } or OptionResult { Implicit: false });
        // A subcommand after an argument or an option is an error (UsageError.IsInterrupted).
        IEnumerable<CompletionItem> items = given ? []
            : command.Command.Subcommands.Where(c => !c.Hidden).Select(c => new CompletionItem(c.Name, detail: c.Description));
        var next = command.Command.Arguments.FirstOrDefault(a => (command.GetResult(a)?.Tokens.Count ?? 0) < a.Arity.MaximumNumberOfValues);
        items = next is null ? items : items.Concat(onlyArguments ? next.GetCompletions(CompletionContext.Empty)
            : WithoutOptions(next.GetCompletions(CompletionContext.Empty)));
        return StartingWith(word, next is null && word.Length == 0 && (given || command.Command.Subcommands.Count == 0)
            ? AvailableOptions(options, command)
            : items);
    }

    private static IEnumerable<CompletionCandidate> CompleteValue(Option option, string word, IEnumerable<CompletionItem> items) =>
        // Only the variable after the '=' is completed, not the name of the header.
        option.Name != "--header-from-env" ? StartingWith(word, items)
            : word.IndexOf('=') is > 0 and var at ? AddPrefix(word[..(at + 1)], StartingWith(word[(at + 1)..], items)) : [];

    private static IEnumerable<CompletionCandidate> AddPrefix(string prefix, IEnumerable<CompletionCandidate> values) =>
        values.Select(v => v with { Value = prefix + v.Value });

    /// <summary>Returns the option whose value is at the cursor, or null.</summary>
    private static Option? FindOpenOption(List<Option> options, IReadOnlyList<string> before)
    {
        for (var i = before.Count - 1; i >= 0; i--)
        {
            if (before[i].StartsWith('-'))
            {
                var option = options.FirstOrDefault(o => HasName(o, before[i]));
                var values = before.Count - 1 - i;
                return option is { Arity.MaximumNumberOfValues: > 0 } && option.ValueType != typeof(bool)
                    && (values == 0 || option.AllowMultipleArgumentsPerToken) ? option : null;
            }
        }
        return null;
    }

    /// <summary>Removes items that would be parsed as options: another program may have named a server <c>-rf</c>.</summary>
    private static IEnumerable<CompletionItem> WithoutOptions(IEnumerable<CompletionItem> items) => items.Where(i => !i.Label.StartsWith('-'));

    private static bool HasName(Option option, string name) => option.Name == name || option.Aliases.Contains(name);

    /// <summary>Returns the options that may still be given. Short forms such as <c>-f</c> are left out.</summary>
    private static IEnumerable<CompletionItem> AvailableOptions(List<Option> options, CommandResult command) => options
        .Where(o => o.Arity.MaximumNumberOfValues > 1 || command.GetResult(o) is null or { Implicit: true })
        .Select(o => new CompletionItem(o.Name, detail: o.Description));

    private static IEnumerable<CompletionCandidate> StartingWith(string word, IEnumerable<CompletionItem> items) => items
        .Where(i => i.Label.StartsWith(word, StringComparison.OrdinalIgnoreCase)
            || i.Documentation?.StartsWith(word, StringComparison.OrdinalIgnoreCase) == true)
        .Select(i => new CompletionCandidate(i.Label, i.Detail ?? ""));
}

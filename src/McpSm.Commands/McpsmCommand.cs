using System.CommandLine;
using System.CommandLine.Help;
using McpSm.Core;
using McpSm.Core.Files;

namespace McpSm.Commands;

/// <summary>The command tree <c>mcpsm</c>, for any console.</summary>
public static class McpsmCommand
{
    /// <summary>Runs one command line and gives its exit code.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, ICommandConsole console, Home home,
        CancellationToken cancellationToken)
    {
        var context = new CommandContext(console, home);
        var root = new RootCommand("Signs you in to remote MCP servers and keeps their tokens in your system's vault.");
        // [diagram] and its kin print the arguments back, and one of them may be a token.
        root.Directives.Clear();
        root.Options.OfType<VersionOption>().Single().Action = new VersionAction(console);
        AuthCommands.AddTo(root, context);
        ServerCommands.AddTo(root, context);
        var parsed = root.Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is not HelpAction && (parsed.Errors.Count > 0 || UsageError.StrayOption(parsed, arguments) is not null))
        {
            return UsageError.Report(parsed, arguments, context);
        }
        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = console.Out,
            Error = console.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        }, cancellationToken).ConfigureAwait(false);
    }

    private sealed class VersionAction(ICommandConsole console) : System.CommandLine.Invocation.SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            console.Out.WriteLine(CoreVersion.Text);
            return ExitCode.Done;
        }
    }
}

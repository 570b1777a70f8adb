using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using McpSm.Commands.Auth;
using McpSm.Commands.Clients;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Completion;
using McpSm.Commands.Identity;
using McpSm.Commands.Output;
using McpSm.Commands.PowerShell;
using McpSm.Commands.Proxy;
using McpSm.Commands.Servers;
using McpSm.Commands.Settings;
using McpSm.Commands.Vaults;
using McpSm.Core.Configuration;
using McpSm.Core.Management;
using McpSm.Core.Vaults;

namespace McpSm.Commands;

/// <summary>The command <c>mcpsm</c>, for any console.</summary>
public static class McpsmCommand
{
    internal static readonly ParserConfiguration Parsing = new() { ResponseFileTokenReplacer = null };

    /// <summary>Runs one command line and returns its exit code (<see cref="ExitCode"/>).</summary>
    /// <param name="arguments">The words after <c>mcpsm</c>.</param>
    /// <param name="console">The console of the user.</param>
    /// <param name="environment">The environment variables, the clock and the configuration folder.</param>
    /// <param name="cancellationToken">Cancels the command, which then returns <see cref="ExitCode.Cancelled"/>.</param>
    /// <param name="vaults">The vaults that this process has in addition to those of Core; null outside PowerShell.</param>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, ICommandConsole console, AppEnvironment environment,
        CancellationToken cancellationToken, IEnumerable<IVaultProvider>? vaults = null)
    {
        using var detached = DetachedRun.Begin(environment, console, cancellationToken);
        cancellationToken = detached?.Token ?? cancellationToken;
        var context = new CommandContext(console, environment, vaults);
        var (root, verbose, quiet) = Tree(context);
        if (CompletionEngine.IsRequested(arguments))
        {
            CompletionEngine.AddSources(root, new CompletionCandidates(environment));
            return await context.RunAsync(() => CompletionEngine.AnswerAsync(arguments, root, console, cancellationToken)).ConfigureAwait(false);
        }
        if (arguments.Count == 0)
        {
            // As gh and git do.
            arguments = ["--help"];
        }
        if (HelpVerb.Find(root, arguments, out var unknown) is { } path)
        {
            if (unknown is not null)
            {
                return UsageError.ReportUnknown(root, path, unknown, context);
            }
            arguments = [.. path, "--help"];
        }
        var parsed = root.Parse(arguments, Parsing);
        HideArgumentsAbove(parsed.CommandResult);
        if (parsed.Action is not HelpWithExamplesAction && (parsed.Errors.Count > 0 || UsageError.FindStrayOption(parsed, arguments) is not null
            || UsageError.IsInterrupted(parsed)))
        {
            return UsageError.Report(parsed, arguments, context);
        }
        (context.Verbose, context.Quiet) = (parsed.GetValue(verbose), parsed.GetValue(quiet));
        if (parsed.Action is not (HelpWithExamplesAction or VersionAction)
            && await RunElsewhereAsync(parsed, arguments, context, isInPowerShell: vaults is not null, cancellationToken).ConfigureAwait(false) is { } exitCode)
        {
            return exitCode;
        }
        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = console.Out,
            Error = console.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Runs the command in PowerShell if only PowerShell can open its vault, or describes it if the session has <c>$WhatIfPreference</c>.
    /// </summary>
    /// <returns>The exit code, or null if this process must run the command.</returns>
    private static async Task<int?> RunElsewhereAsync(
        ParseResult parsed, IReadOnlyList<string> arguments, CommandContext context, bool isInPowerShell, CancellationToken cancellationToken)
    {
        int? exitCode = null;
        var failure = await context.RunAsync(async () =>
        {
            if (!isInPowerShell && PowerShellDelegation.IsNeeded(parsed))
            {
                exitCode = await PowerShellDelegation.RunAsync(parsed, arguments, context, cancellationToken).ConfigureAwait(false);
            }
            if (exitCode is null && !await WhatIf.ShouldRunAsync(parsed, context, cancellationToken).ConfigureAwait(false))
            {
                exitCode = ExitCode.Done;
            }
            return ExitCode.Done;
        }).ConfigureAwait(false);
        return failure == ExitCode.Done ? exitCode : failure;
    }

    /// <summary>Creates the commands, and the two options that all of them have.</summary>
    internal static (Command Root, Option<bool> Verbose, Option<bool> Quiet) Tree(CommandContext context)
    {
        var (verbose, quiet) = (new Option<bool>("--verbose", "-v") { Description = "Print every step and URL", Recursive = true },
            new Option<bool>("--quiet", "-q") { Description = "Print only results and errors", Recursive = true });
        // Not a RootCommand: it would have the name of the process, which in PowerShell is pwsh, and it has directives such as
        // [diagram] that print the arguments, one of which may be a token.
        var root = new CommandWithExamples("mcpsm", "Sign in to remote MCP servers and store their tokens in your vault.")
        {
            Examples = ["mcpsm add my-api --type http --url https://example.com/mcp", "mcpsm auth login my-api", AuthTokenCommand.CurlExample],
        };
        root.Add(verbose);
        root.Add(quiet);
        root.Add(new HelpOption { Action = new HelpWithExamplesAction(new HelpAction(), context.Console) });
        root.Add(new VersionOption { Action = new VersionAction(context.Console) });
        root.Add(new AuthCommand(context));
        root.Add(new AddCommand(context));
        root.Add(new ServerCommand(context));
        root.Add(new ListCommand(context));
        root.Add(new RemoveCommand(context));
        root.Add(new TestCommand(context));
        root.Add(new ProxyCommand(context));
        root.Add(new ClientCommand(context));
        root.Add(new IdentityCommand(context));
        root.Add(new VaultCommand(context));
        root.Add(new ConfigCommand(context));
        root.Add(new ImportCommand(context));
        root.Add(new CompletionCommand(context));
        return (root, verbose, quiet);
    }

    /// <summary>Hides the server of <c>auth &lt;server&gt;</c> in the help of <c>auth login &lt;server&gt;</c>.</summary>
    private static void HideArgumentsAbove(CommandResult command)
    {
        for (var above = command.Parent as CommandResult; above is not null; above = above.Parent as CommandResult)
        {
            foreach (var argument in above.Command.Arguments)
            {
                argument.Hidden = true;
            }
        }
    }

    private sealed class VersionAction(ICommandConsole console) : System.CommandLine.Invocation.SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            console.Out.WriteLine(ProductInfo.Version);
            return ExitCode.Done;
        }
    }
}

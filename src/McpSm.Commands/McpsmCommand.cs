using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using McpSm.Commands.Auth;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Completion;
using McpSm.Commands.Identity;
using McpSm.Commands.Output;
using McpSm.Commands.PowerShell;
using McpSm.Commands.Proxy;
using McpSm.Commands.Servers;
using McpSm.Commands.Vaults;
using McpSm.Core.Configuration;
using McpSm.Core.Management;
using McpSm.Core.Vaults;

namespace McpSm.Commands;

/// <summary>The command tree <c>mcpsm</c>, for any console.</summary>
public static class McpsmCommand
{
    internal static readonly ParserConfiguration Parsing = new() { ResponseFileTokenReplacer = null };

    /// <summary>Runs one command line and gives its exit code.</summary>
    /// <param name="vaults">Kinds of vaults that this process has beside those of Core; null outside PowerShell.</param>
    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, ICommandConsole console, AppEnvironment environment,
        CancellationToken cancellationToken, IEnumerable<IVaultProvider>? vaults = null)
    {
        var context = new CommandContext(console, environment, vaults);
        var (root, verbose, quiet) = Tree(context);
        if (CompletionEngine.IsRequested(arguments))
        {
            CompletionEngine.AddSources(root, new CompletionCandidates(environment));
            return await context.RunAsync(() => CompletionEngine.AnswerAsync(arguments, root, console, cancellationToken)).ConfigureAwait(false);
        }
        if (arguments.Count == 0)
        {
            // As gh and git do: a person who types the name alone wants to know what there is.
            arguments = ["--help"];
        }
        if (HelpVerb.Find(root, arguments, out var unknown) is { } asked)
        {
            if (unknown is not null)
            {
                return UsageError.ReportUnknown(root, asked, unknown, context);
            }
            arguments = [.. asked, "--help"];
        }
        var parsed = root.Parse(arguments, Parsing);
        HideArgumentsAbove(parsed.CommandResult);
        if (parsed.Action is not HelpWithExamplesAction && (parsed.Errors.Count > 0 || UsageError.StrayOption(parsed, arguments) is not null
            || UsageError.IsInterrupted(parsed)))
        {
            return UsageError.Report(parsed, arguments, context);
        }
        (context.Verbose, context.Quiet) = (parsed.GetValue(verbose), parsed.GetValue(quiet));
        if (vaults is null && parsed.Action is not (HelpWithExamplesAction or VersionAction) && PowerShellDelegation.IsNeeded(parsed))
        {
            int? handed = null;
            var failed = await context.RunAsync(async () => (handed = await PowerShellDelegation.RunAsync(parsed, arguments, context, cancellationToken).ConfigureAwait(false)) ?? ExitCode.Done)
                .ConfigureAwait(false);
            if (handed is not null || failed != ExitCode.Done)
            {
                return handed ?? failed;
            }
        }
        if (parsed.Action is not (HelpWithExamplesAction or VersionAction))
        {
            var runs = false;
            var described = await context.RunAsync(async () =>
            {
                runs = await WhatIf.ShouldRunAsync(parsed, context, cancellationToken).ConfigureAwait(false);
                return ExitCode.Done;
            }).ConfigureAwait(false);
            if (!runs)
            {
                return described;
            }
        }
        return await parsed.InvokeAsync(new InvocationConfiguration
        {
            Output = console.Out,
            Error = console.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The commands, and the two options that all of them have.</summary>
    internal static (Command Root, Option<bool> Verbose, Option<bool> Quiet) Tree(CommandContext context)
    {
        var (verbose, quiet) = (new Option<bool>("--verbose", "-v") { Description = "Tell every step and URL", Recursive = true },
            new Option<bool>("--quiet", "-q") { Description = "Print results and errors alone", Recursive = true });
        // Not a RootCommand: that is named after the process, which in PowerShell is not ours, and knows directives
        // such as [diagram] that print the arguments back, one of which may be a token.
        var root = new CommandWithExamples("mcpsm", "Signs you in to remote MCP servers, and keeps their tokens in your vault.")
        {
            Examples = ["mcpsm add my-api --type http --url https://example.com/mcp", "mcpsm auth login my-api", TokenCommand.CurlExample],
        };
        root.Add(verbose);
        root.Add(quiet);
        root.Add(new HelpOption { Action = new HelpWithExamplesAction(new HelpAction(), context.Console) });
        root.Add(new VersionOption { Action = new VersionAction(context.Console) });
        root.Add(new AuthCommand(context));
        root.Add(new AddCommand(context));
        root.Add(new ServerCommand(context));
        root.Add(new Servers.ListCommand(context));
        root.Add(new RemoveCommand(context));
        root.Add(new TestCommand(context));
        root.Add(new ProxyCommand(context));
        root.Add(new IdentityCommand(context));
        root.Add(new VaultCommand(context));
        root.Add(new ImportCommand(context));
        root.Add(new CompletionCommand(context));
        return (root, verbose, quiet);
    }

    /// <summary>The server of <c>auth &lt;server&gt;</c> has no place in the usage of <c>auth login &lt;server&gt;</c>.</summary>
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

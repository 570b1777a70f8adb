using System.CommandLine;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Commands.CommandLine;

/// <summary>How a command declares whether it changes something.</summary>
internal static class DeclaredActionExtensions
{
    /// <summary>The command shows something. It may renew a token that is due, as <c>Get-McpToken</c> does.</summary>
    public static void SetReadAction(this Command command, Func<ParseResult, CancellationToken, Task<int>> work) =>
        command.Action = new DeclaredAction(work, _ => false);

    /// <summary>The command changes something, so a session with <c>$WhatIfPreference</c> is only told what it would do.</summary>
    /// <param name="when">Whether these arguments ask for a change; null if they always do.</param>
    public static void SetChangeAction(this Command command, Func<ParseResult, CancellationToken, Task<int>> work, Func<ParseResult, bool>? when = null) =>
        command.Action = new DeclaredAction(work, when ?? (_ => true));

    /// <summary>Whether the console wants the command to run. A command that declares nothing counts as one that changes something.</summary>
    /// <exception cref="McpAuthException">ServerNotFound, if the console runs nothing and the command is about an unknown server.</exception>
    public static async Task<bool> ShouldRunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        if (!context.Console.IsWhatIf || (parsed.Action is DeclaredAction declared && !declared.Changes(parsed)))
        {
            return true;
        }
        var result = parsed.CommandResult;
        var operation = $"{UsageError.Path(result)}: {result.Command.Description}";
        await context.Console.SayWhatIfAsync(operation, Target(parsed, context), cancellationToken).ConfigureAwait(false);
        return false;
    }

    /// <summary>The name of the server that is in the catalog. Other arguments are not repeated: one of them may be a token.</summary>
    private static string? Target(ParseResult parsed, CommandContext context)
    {
        if (parsed.CommandResult.Command.Arguments.FirstOrDefault(a => a.Name == "server") is not { } argument
            || parsed.GetResult(argument)?.Tokens.FirstOrDefault()?.Value is not { } given)
        {
            return null;
        }
        var all = context.Catalog.List();
        return ServerLookup.Find(all, given)?.Name ?? (ServerLookup.IsUrl(given) ? null : throw ServerLookup.Failure(all, given, mayBeSecret: true));
    }
}

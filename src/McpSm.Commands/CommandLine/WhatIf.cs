using System.CommandLine;
using McpSm.Core.Errors;

namespace McpSm.Commands.CommandLine;

/// <summary>Runs a command or, in a session with <c>$WhatIfPreference</c>, describes the change that it would make.</summary>
internal static class WhatIf
{
    /// <summary>Describes the command if the console does not want it to run.</summary>
    /// <returns>Whether to run the command.</returns>
    /// <exception cref="McpAuthException">ServerNotFound: the command is only described, and its server is unknown.</exception>
    public static async Task<bool> ShouldRunAsync(ParseResult parsed, CommandContext context, CancellationToken cancellationToken)
    {
        if (!context.Console.IsWhatIf || parsed.CommandResult.Command is not McpsmSubcommand command || !command.Changes(parsed))
        {
            return true;
        }
        var operation = $"{UsageError.Path(parsed.CommandResult)}: {command.Description}";
        await context.Console.SayWhatIfAsync(operation, command.FindTarget(parsed), cancellationToken).ConfigureAwait(false);
        return false;
    }
}

using McpSm.Core.Errors;

namespace McpSm.Commands.CommandLine;

/// <summary>A secret that comes through standard input.</summary>
internal static class SecretInput
{
    /// <summary>Returns a token that the user gave as an argument, or reads it from standard input if the argument is <c>-</c>.</summary>
    /// <exception cref="McpAuthException">InteractionRequired: standard input is empty. InvalidValue: it has several lines.</exception>
    public static async Task<string> ReadTokenAsync(string argument, CommandContext context, CancellationToken cancellationToken)
    {
        if (argument != "-")
        {
            context.Hint("Hint: a token on the command line is visible to others and in the shell's history; '-' reads standard input.");
            return argument;
        }
        return await ReadAsync(context, "Token: ", "token", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The one line of standard input; at a terminal it is asked for and not shown.</summary>
    /// <param name="what">What the line holds, such as <c>token</c>.</param>
    /// <exception cref="McpAuthException">InteractionRequired: standard input is empty. InvalidValue: it has several lines.</exception>
    public static async Task<string> ReadAsync(CommandContext context, string prompt, string what, CancellationToken cancellationToken)
    {
        var remedy = $"Pipe in one line that holds the {what} and nothing else.";
        if (context.Console.IsInputTerminal)
        {
            var typed = await context.Console.ReadSecretAsync(UntrustedText.SanitizeLine(prompt), cancellationToken).ConfigureAwait(false);
            return typed?.Trim() is { Length: > 0 } secret ? secret : throw new McpAuthException(ErrorReason.InteractionRequired, $"No {what} came through standard input.", remedy);
        }
        var line = (await context.Console.ReadLineAsync(cancellationToken).ConfigureAwait(false))?.Trim();
        if (string.IsNullOrEmpty(line))
        {
            throw new McpAuthException(ErrorReason.InteractionRequired, $"No {what} came through standard input.", remedy);
        }
        // All of it is read: which line of several is the secret is not for us to guess.
        while (await context.Console.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } more)
        {
            if (more.Trim().Length > 0)
            {
                throw new McpAuthException(ErrorReason.InvalidValue, $"Standard input has several lines, and the {what} is one.", remedy);
            }
        }
        return line;
    }
}

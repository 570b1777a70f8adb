using McpSm.Core.Errors;

namespace McpSm.Commands.CommandLine;

/// <summary>Reads a secret from standard input.</summary>
internal static class SecretInput
{
    /// <summary>Returns a token that the user gave as an argument, or reads it from standard input if the argument is <c>-</c>.</summary>
    /// <exception cref="McpAuthException">InteractionRequired: standard input is empty. InvalidValue: it has several lines.</exception>
    public static async Task<string> ReadTokenAsync(string argument, CommandContext context, CancellationToken cancellationToken)
    {
        if (argument != "-")
        {
            context.Hint("Hint: other users and the shell history can see a token on the command line. Use '-' to read it from standard input.");
            return argument;
        }
        return await ReadAsync(context, "Token: ", "token", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads the only line of standard input. At a terminal it prompts, and does not echo what is typed.</summary>
    /// <param name="context">The console.</param>
    /// <param name="prompt">The prompt at a terminal.</param>
    /// <param name="what">What the line contains, such as <c>token</c>, for error messages.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <exception cref="McpAuthException">InteractionRequired: standard input is empty. InvalidValue: it has several lines.</exception>
    public static async Task<string> ReadAsync(CommandContext context, string prompt, string what, CancellationToken cancellationToken)
    {
        var remedy = $"Pipe in one line with the {what} and nothing else.";
        if (context.Console.IsInputTerminal)
        {
            var typed = await context.Console.ReadSecretAsync(UntrustedText.SanitizeLine(prompt), cancellationToken).ConfigureAwait(false);
            return typed?.Trim() is { Length: > 0 } secret ? secret
                : throw new McpAuthException(ErrorReason.InteractionRequired, $"Standard input has no {what}.", remedy);
        }
        var line = (await context.Console.ReadLineAsync(cancellationToken).ConfigureAwait(false))?.Trim();
        if (string.IsNullOrEmpty(line))
        {
            throw new McpAuthException(ErrorReason.InteractionRequired, $"Standard input has no {what}.", remedy);
        }
        // If there are several lines, any of them may be the secret: fail instead of guessing.
        while (await context.Console.ReadLineAsync(cancellationToken).ConfigureAwait(false) is { } next)
        {
            if (next.Trim().Length > 0)
            {
                throw new McpAuthException(ErrorReason.InvalidValue, $"Standard input has several lines, but the {what} must be a single line.", remedy);
            }
        }
        return line;
    }
}

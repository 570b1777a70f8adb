namespace McpSm.Commands.Remedies;

/// <summary>
/// Builds every command line that a person is told to run. The server, vault or issuer in it may have been named by another
/// program: it must not become an option, or a command of the shell that it is pasted into.
/// </summary>
public static class NextCommand
{
    // In double quotes, because PowerShell takes bare dashes for its own and does not pass them on to a function.
    private const string EndOfOptions = "\"--\"";

    /// <summary>A command of <c>mcpsm</c>, such as <c>mcpsm auth login my-api --device</c>.</summary>
    /// <param name="verb">The words before the argument, such as <c>auth login</c>.</param>
    /// <param name="argument">A server's id, a vault or an issuer.</param>
    /// <param name="options">The rest of the line. Foreign values in it are quoted already (<see cref="ShellQuoting"/>).</param>
    /// <param name="placeholder">What stands for an argument that no shell takes safely.</param>
    public static string For(string verb, string argument, string options = "", string placeholder = "<server>")
    {
        if (!argument.StartsWith('-'))
        {
            return Line("mcpsm", verb, ShellQuoting.QuoteOrPlaceholder(argument, placeholder), options);
        }
        // The letters and digits behind the dashes are what a shell could act on.
        var behind = argument.TrimStart('-');
        if (behind.Length > 0 && ShellQuoting.QuoteOrPlaceholder($"x{behind}", placeholder) != $"x{behind}")
        {
            return Line("mcpsm", verb, placeholder, options);
        }
        return options.StartsWith("--", StringComparison.Ordinal) ? Line("mcpsm", verb, options, EndOfOptions, argument)
            : Line("mcpsm", verb, EndOfOptions, argument, options);
    }

    private static string Line(params IEnumerable<string> words) => string.Join(' ', words.Where(w => w.Length > 0));
}

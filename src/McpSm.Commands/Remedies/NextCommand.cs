namespace McpSm.Commands.Remedies;

/// <summary>
/// Builds the command lines that Mcpsm suggests. Another program may have chosen the name of the server, vault or issuer in them:
/// it must not become an option, or a command of the shell that the user pastes it into.
/// </summary>
public static class NextCommand
{
    // Quoted, because PowerShell does not pass bare dashes to a function.
    private const string EndOfOptions = "\"--\"";

    /// <summary>Returns a command line, such as <c>mcpsm auth login my-api --device</c>.</summary>
    /// <param name="verb">The words before the argument, such as <c>auth login</c>.</param>
    /// <param name="argument">The id of a server, a vault or an issuer.</param>
    /// <param name="options">The rest of the line. Untrusted values in it are quoted already (<see cref="ShellQuoting"/>).</param>
    /// <param name="placeholder">What to print if the argument cannot be quoted safely for every shell.</param>
    public static string For(string verb, string argument, string options = "", string placeholder = "<server>")
    {
        if (!argument.StartsWith('-'))
        {
            return Line("mcpsm", verb, ShellQuoting.QuoteOrPlaceholder(argument, placeholder), options);
        }
        // An argument that begins with dashes is not quoted, so the rest must be safe without quotes. A leading letter makes
        // ShellQuoting accept it as a word.
        var word = $"x{argument.TrimStart('-')}";
        if (word.Length > 1 && ShellQuoting.QuoteOrPlaceholder(word, placeholder) != word)
        {
            return Line("mcpsm", verb, placeholder, options);
        }
        return options.StartsWith("--", StringComparison.Ordinal) ? Line("mcpsm", verb, options, EndOfOptions, argument)
            : Line("mcpsm", verb, EndOfOptions, argument, options);
    }

    private static string Line(params IEnumerable<string> words) => string.Join(' ', words.Where(w => w.Length > 0));
}

using System.Text.RegularExpressions;

namespace McpSm.TestServers;

/// <summary>Finds remedies that repeat the command that has just failed.</summary>
public static partial class RepeatedCommand
{
    /// <summary>Returns the command in the text that equals the command line; null if the text has none.</summary>
    /// <param name="arguments">The arguments of the <c>mcpsm</c> command that failed.</param>
    public static string? Find(string? text, params IReadOnlyList<string> arguments)
    {
        var (failed, given) = Split(arguments);
        // Running the same command interactively is a different way to run it.
        foreach (Match command in Commands().Matches(AtAPrompt().Replace(text ?? "", "")))
        {
            var (words, options) = Split(command.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            if (words.SequenceEqual(failed) && options.IsSubsetOf(given))
            {
                return command.Value;
            }
        }
        return null;
    }

    /// <summary>Returns the verb with its arguments, and each option with its value.</summary>
    private static (IReadOnlyList<string> Words, HashSet<string> Options) Split(IReadOnlyList<string> line)
    {
        var words = line.TakeWhile(w => w == "-" || !w.StartsWith('-')).ToList();
        // The short form of a sign-in.
        if (words is ["auth", var server] && server is not ("login" or "logout" or "login-all" or "refresh" or "set" or "revoke" or "token" or "status"))
        {
            words = ["auth", "login", server];
        }
        var options = new HashSet<string>();
        var option = "";
        foreach (var word in line.SkipWhile(w => w == "-" || !w.StartsWith('-')))
        {
            var isValue = !word.StartsWith('-') && option.Length > 0;
            if (isValue)
            {
                options.Remove(option);
            }
            option = isValue ? $"{option} {word}" : word;
            options.Add(option);
        }
        return (words, options);
    }

    [GeneratedRegex("'mcpsm [^']*' at a prompt")]
    private static partial Regex AtAPrompt();

    // Up to the end of the sentence or of the quotes.
    [GeneratedRegex(@"mcpsm ((?:[^\s'.:;,]|[.:](?=\S))+(?: (?:[^\s'.:;,]|[.:](?=\S))+)*)")]
    private static partial Regex Commands();
}

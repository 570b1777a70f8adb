using System.Text.RegularExpressions;

namespace McpSm.TestServers;

/// <summary>Finds advice to run the command that has just failed, in the same way.</summary>
public static partial class RepeatedCommand
{
    /// <summary>The command in the text that says nothing else than the command line did; null if there is none.</summary>
    /// <param name="arguments">The words behind <c>mcpsm</c> of the command line that failed.</param>
    public static string? Find(string? text, params IReadOnlyList<string> arguments)
    {
        var (failed, given) = Split(arguments);
        foreach (Match told in Commands().Matches(text ?? ""))
        {
            var (words, options) = Split(told.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
            if (words.SequenceEqual(failed) && options.IsSubsetOf(given))
            {
                return told.Value;
            }
        }
        return null;
    }

    /// <summary>The verb with its argument, and the names of the options.</summary>
    private static (IReadOnlyList<string> Words, HashSet<string> Options) Split(IReadOnlyList<string> line)
    {
        var words = line.TakeWhile(w => !w.StartsWith('-')).ToList();
        // The short form of a sign-in.
        if (words is ["auth", var server] && server is not ("login" or "logout" or "login-all" or "refresh" or "set" or "revoke" or "token" or "status"))
        {
            words = ["auth", "login", server];
        }
        return (words, [.. line.Skip(words.Count).Where(w => w.StartsWith('-') && w != "-").Select(w => w.Split('=')[0])]);
    }

    // As far as a sentence goes, or the quotes around it.
    [GeneratedRegex(@"mcpsm ((?:[^\s'.:;,]|[.:](?=\S))+(?: (?:[^\s'.:;,]|[.:](?=\S))+)*)")]
    private static partial Regex Commands();
}

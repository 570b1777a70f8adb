using System.CommandLine;

namespace McpSm.Commands.CommandLine;

/// <summary>Supports <c>help auth login</c> and <c>auth help login</c> as other forms of <c>auth login --help</c>, as git and gh do.</summary>
internal static class HelpVerb
{
    private const string Word = "help";

    /// <summary>Returns the path of the command whose help the user wants, or null if the verb <c>help</c> is not used.</summary>
    /// <param name="root">The command <c>mcpsm</c>.</param>
    /// <param name="arguments">The words after <c>mcpsm</c>.</param>
    /// <param name="unknown">The first word that is not a command; null if all are.</param>
    public static IReadOnlyList<string>? Find(Command root, IReadOnlyList<string> arguments, out string? unknown)
    {
        unknown = null;
        var (command, path, hasVerb) = (root, new List<string>(), false);
        foreach (var word in arguments)
        {
            if (command.Subcommands.FirstOrDefault(c => c.Name == word) is { } subcommand)
            {
                command = subcommand;
                path.Add(word);
            }
            else if (word == Word && command.Subcommands.Count > 0)
            {
                hasVerb = true;
            }
            else if (!word.StartsWith('-'))
            {
                unknown = word;
                break;
            }
        }
        return hasVerb ? path : null;
    }
}

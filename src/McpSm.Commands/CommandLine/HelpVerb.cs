using System.CommandLine;

namespace McpSm.Commands.CommandLine;

/// <summary><c>help auth login</c> and <c>auth help login</c>, as git, gh and the npm tool have it: what <c>auth login --help</c> says.</summary>
internal static class HelpVerb
{
    private const string Word = "help";

    /// <summary>The command whose help is asked for; null where the line does not ask so.</summary>
    /// <param name="unknown">A word that is no command where one should be; null where there is none.</param>
    public static IReadOnlyList<string>? Find(Command root, IReadOnlyList<string> arguments, out string? unknown)
    {
        unknown = null;
        var (command, path, asked) = (root, new List<string>(), false);
        foreach (var word in arguments)
        {
            if (command.Subcommands.FirstOrDefault(c => c.Name == word) is { } below)
            {
                command = below;
                path.Add(word);
            }
            else if (word == Word && command.Subcommands.Count > 0)
            {
                asked = true;
            }
            else if (!word.StartsWith('-'))
            {
                unknown = word;
                break;
            }
        }
        return asked ? path : null;
    }
}

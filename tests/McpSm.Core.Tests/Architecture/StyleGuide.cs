using System.Text.RegularExpressions;
using McpSm.TestServers;

namespace McpSm.Core.Tests.Architecture;

/// <summary>The regular expressions of <c>docs/style.md</c>.</summary>
/// <param name="Avoided">The words to avoid, one expression each.</param>
/// <param name="TestName">The form of a test name.</param>
internal sealed partial record StyleGuide(IReadOnlyList<Regex> Avoided, Regex TestName)
{
    public const string Page = "docs/style.md";

    /// <summary>Reads the fenced blocks of the page.</summary>
    public static StyleGuide Read()
    {
        var blocks = Block().Matches(File.ReadAllText(Path.Combine(Repository.Root, Page)).ReplaceLineEndings("\n"))
            .ToDictionary(block => block.Groups["kind"].Value, block => block.Groups["lines"].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        return new([.. blocks[""].Select(line => new Regex(line, RegexOptions.IgnoreCase))], new Regex(blocks["test-name"].Single()));
    }

    [GeneratedRegex(@"^```regex ?(?<kind>[\w-]*)\n(?<lines>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}

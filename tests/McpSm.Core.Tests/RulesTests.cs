using System.Text.RegularExpressions;
using Xunit;

namespace McpSm.Core.Tests;

/// <summary>
/// <c>docs/rules.md</c> says which tests hold which rule of the protocol. A test that holds one says so in its name:
/// <c>Rule_17_…</c>, <c>Rules_2_7a_…</c>.
/// </summary>
public sealed partial class RulesTests
{
    // The extensions 34 to 36 count from when the first test names them.
    private static readonly string[] Required = [.. Enumerable.Range(1, 33).Concat([37, 38, 39]).Select(n => $"{n}"), "7a"];

    [Fact]
    public void Every_rule_has_tests_and_the_table_in_docs_names_such_as_there_are()
    {
        var held = TestsByRule();
        var table = Row().Matches(File.ReadAllText(Path.Combine(Root, "docs", "rules.md")))
            .ToDictionary(row => row.Groups[1].Value, row => Name().Matches(row.Groups[2].Value).Select(name => name.Groups[1].Value).ToList());

        var wrong = Required.Except(held.Keys).Select(rule => $"No test names rule {rule}.")
            .Concat(held.Keys.Except(table.Keys).Select(rule => $"docs/rules.md lacks: | {rule} | … | {string.Join("<br>", held[rule].Select(test => $"`{test}`"))} |"))
            .Concat(table.Where(row => row.Value.Count == 0).Select(row => $"docs/rules.md names no test for rule {row.Key}."))
            .Concat(table.SelectMany(row => row.Value.Where(test => held.GetValueOrDefault(row.Key)?.Contains(test) != true)
                .Select(test => $"docs/rules.md names {test} for rule {row.Key}; there is no such test of that rule.")));
        Assert.Equal("", string.Join("\n", wrong));
    }

    /// <summary>For each rule that a test names, the tests as <c>Class.Method</c>.</summary>
    private static Dictionary<string, SortedSet<string>> TestsByRule()
    {
        var held = new Dictionary<string, SortedSet<string>>();
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin")))
        {
            foreach (Match test in Test().Matches(File.ReadAllText(file)))
            {
                foreach (var rule in test.Groups["rules"].Value.Split('_', StringSplitOptions.RemoveEmptyEntries))
                {
                    (held.TryGetValue(rule, out var tests) ? tests : held[rule] = new(StringComparer.Ordinal))
                        .Add($"{Path.GetFileNameWithoutExtension(file)}.{test.Groups["name"].Value}");
                }
            }
        }
        return held;
    }

    private static string Root
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder!.FullName, "Mcpsm.slnx")))
            {
                folder = folder.Parent;
            }
            return folder.FullName;
        }
    }

    [GeneratedRegex(@"\[(?:Fact|Theory)[^\n]*\n(?:\s+\[[^\n]*\n)*\s+public (?:async )?\w+ (?<name>Rules?_(?<rules>(?:\d+a?_)+)\w+)\(")]
    private static partial Regex Test();

    [GeneratedRegex(@"`([^`]+)`")]
    private static partial Regex Name();

    [GeneratedRegex(@"^\| (\d+a?) \| [^|]+ \| ([^|]*) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();
}

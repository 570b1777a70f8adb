using System.Text.Json;
using System.Text.RegularExpressions;
using McpSm.Core.Errors;
using Xunit;

namespace McpSm.Core.Tests.Architecture;

/// <summary>
/// <c>docs/rules.md</c> says which tests hold which rule of the protocol. A test that holds one says so in its name:
/// <c>Rule_17_…</c>, <c>Rules_2_7a_…</c>.
/// </summary>
public sealed partial class RulesTests
{
    private static readonly string[] Required = [.. Enumerable.Range(1, 39).Select(n => $"{n}"), "7a"];

    [Fact]
    public void Every_rule_has_tests_and_the_table_in_docs_names_such_as_there_are()
    {
        var held = TestsByRule();
        var table = Row().Matches(Docs).ToDictionary(row => row.Groups[1].Value, row => Names(row.Groups[2].Value));

        var wrong = Required.Except(held.Keys).Select(rule => $"No test names rule {rule}.")
            .Concat(held.Keys.Except(table.Keys).Select(rule => $"docs/rules.md lacks: | {rule} | … | {string.Join("<br>", held[rule].Select(test => $"`{test}`"))} |"))
            .Concat(table.Where(row => row.Value.Count == 0).Select(row => $"docs/rules.md names no test for rule {row.Key}."))
            .Concat(table.SelectMany(row => row.Value.Where(test => held.GetValueOrDefault(row.Key)?.Contains(test) != true)
                .Select(test => $"docs/rules.md names {test} for rule {row.Key}; there is no such test of that rule.")));
        Assert.Equal("", string.Join("\n", wrong));
    }

    [Fact]
    public void The_table_names_every_conformance_scenario_that_must_pass_and_none_that_there_is_not()
    {
        var listed = File.ReadAllLines(Path.Combine(Root, "tests", "interop", "conformance", "scenarios.txt"));
        var named = Row().Matches(Docs).SelectMany(row => Names(row.Groups[3].Value)).ToHashSet();
        var later = Later().Match(File.ReadAllText(Path.Combine(Root, "tests", "interop", "conformance", "run.sh"))).Groups[1].Value.Split(' ');
        Assert.Equal([], named.Except(listed));
        Assert.Equal([], listed.Except(later).Except(named));
    }

    [Fact]
    public void What_was_found_in_the_field_has_an_end_and_tests_that_there_are()
    {
        var tests = Tests().Select(test => test.Name).ToHashSet();
        var rows = Docs[Docs.IndexOf("## Interplay found in the field", StringComparison.Ordinal)..].Split('\n')
            .Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1).Select(line => line.Split(" | ")).ToList();
        Assert.NotEmpty(rows);
        foreach (var row in rows)
        {
            Assert.Equal(3, row.Length);
            Assert.All(Names(row[1]), id => Assert.True(Enum.TryParse<ErrorReason>(id, out _), id));
            Assert.NotEmpty(Names(row[2]));
            Assert.All(Names(row[2]), test => Assert.Contains(test, tests));
        }
    }

    /// <summary><c>docs/rules.json</c> has the texts; the page will be made from it.</summary>
    [Fact]
    public void Rules_file_has_every_rule_with_text_references_and_scenarios()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Root, "docs", "rules.json")));
        var rules = file.RootElement.GetProperty("groups").EnumerateArray().SelectMany(group => group.GetProperty("rules").EnumerateArray())
            .ToDictionary(rule => rule.GetProperty("id").GetString()!);
        var scenarios = Row().Matches(Docs).ToDictionary(row => row.Groups[1].Value, row => Names(row.Groups[3].Value));

        Assert.Equal(Required.Order(), rules.Keys.Order());
        Assert.All(rules, rule =>
        {
            Assert.Contains(rule.Value.GetProperty("level").GetString(), (string[])["MUST", "SHOULD", "OPTIONAL"]);
            Assert.EndsWith(".", rule.Value.GetProperty("text").GetString());
            Assert.NotEmpty(Texts(rule.Value.GetProperty("references")));
            Assert.Equal(scenarios[rule.Key], Texts(rule.Value.GetProperty("scenarios")));
        });

        static IEnumerable<string> Texts(JsonElement list) => list.EnumerateArray().Select(text => text.GetString()!);
    }

    /// <summary>For each rule that a test names, the tests as <c>Class.Method</c>.</summary>
    private static Dictionary<string, SortedSet<string>> TestsByRule()
    {
        var held = new Dictionary<string, SortedSet<string>>();
        foreach (var (name, rules) in Tests())
        {
            foreach (var rule in rules)
            {
                (held.TryGetValue(rule, out var tests) ? tests : held[rule] = new(StringComparer.Ordinal)).Add(name);
            }
        }
        return held;
    }

    /// <summary>All tests as <c>Class.Method</c>, each with the rules that it names.</summary>
    private static IEnumerable<(string Name, string[] Rules)> Tests() =>
        Directory.EnumerateFiles(Path.Combine(Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "node_modules"))
            .SelectMany(file => Test().Matches(File.ReadAllText(file)).Select(test => (
                $"{Path.GetFileNameWithoutExtension(file)}.{test.Groups["name"].Value}",
                test.Groups["rules"].Value.Split('_', StringSplitOptions.RemoveEmptyEntries))));

    /// <summary>What stands in backticks.</summary>
    private static List<string> Names(string cell) => [.. Name().Matches(cell).Select(name => name.Groups[1].Value)];

    private static string Docs => File.ReadAllText(Path.Combine(Root, "docs", "rules.md"));

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

    [GeneratedRegex(@"\[(?:Fact|Theory)[^\n]*\n(?:\s+\[[^\n]*\n)*\s+public (?:async )?\w+ (?<name>(?:Rules?_(?<rules>(?:\d+a?_)+))?\w+)\(")]
    private static partial Regex Test();

    [GeneratedRegex(@"`([^`]+)`")]
    private static partial Regex Name();

    // The last cell, of conformance scenarios, is left out where there are none.
    [GeneratedRegex(@"^\| (\d+a?) \| [^|]+ \| ([^|]*) \|(?: ([^|]*) \|)?$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("^later=\" (.+) \"$", RegexOptions.Multiline)]
    private static partial Regex Later();
}

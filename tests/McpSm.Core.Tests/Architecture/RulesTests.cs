using System.Text.Json;
using System.Text.RegularExpressions;
using McpSm.Core.Errors;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Architecture;

/// <summary>Checks <c>docs/rules.json</c>, the attributes of the tests, and the page that is generated from both.</summary>
public sealed partial class RulesTests
{
    private const int MaxLineLength = 200;

    private static readonly string[] Required = [.. Enumerable.Range(1, 39).Select(n => $"{n}"), "7a"];
    private static readonly IReadOnlyList<SourceTest> Tests = SourceTest.ReadAll();

    [Fact]
    public void Rules_page_equals_rules_and_test_attributes()
    {
        using var rules = JsonDocument.Parse(File.ReadAllBytes(Docs("rules.json")));
        var page = new RulesPage(rules.RootElement, Tests).Write();
        if (Environment.GetEnvironmentVariable("MCPSM_TEST_UPDATE") == "1")
        {
            File.WriteAllText(Docs("rules.md"), page);
        }
        Assert.Equal(page, File.ReadAllText(Docs("rules.md")).ReplaceLineEndings("\n"));
        Assert.All(page.Split('\n'), line => Assert.InRange(line.Length, 0, MaxLineLength));
    }

    [Fact]
    public void Required_rule_has_a_test_and_named_rule_exists()
    {
        var named = Tests.SelectMany(test => test.Rules).ToHashSet();
        Assert.Equal([], Required.Except(named));
        Assert.Equal([], named.Except(Required));
    }

    [Fact]
    public void Attribute_in_test_source_is_read()
    {
        var written = Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*Tests.cs", SearchOption.AllDirectories)
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "node_modules" or "Architecture"))
            .Sum(file => Attribute().Count(File.ReadAllText(file)));
        Assert.Equal(written, Tests.Sum(test => (test.Rules.Count > 0 ? 1 : 0) + (test.Faults.Count > 0 ? 1 : 0)));
    }

    [Fact]
    public void Rule_in_rules_json_has_text_references_and_level()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Docs("rules.json")));
        var rules = Rules(file).ToDictionary(rule => rule.GetProperty("id").GetString()!);
        Assert.Equal(Required.Order(), rules.Keys.Order());
        Assert.All(rules.Values, rule =>
        {
            Assert.Contains(rule.GetProperty("level").GetString(), (string[])["MUST", "SHOULD", "OPTIONAL"]);
            Assert.EndsWith(".", rule.GetProperty("text").GetString());
            Assert.NotEmpty(rule.GetProperty("references").EnumerateArray());
        });
    }

    [Fact]
    public void Conformance_scenario_that_must_pass_is_listed_at_a_rule()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Docs("rules.json")));
        var named = Rules(file).SelectMany(rule => rule.GetProperty("scenarios").EnumerateArray()).Select(name => name.GetString()!).ToHashSet();
        var conformance = Path.Combine(Repository.Root, "tests", "interop", "conformance");
        var listed = File.ReadAllLines(Path.Combine(conformance, "scenarios.txt"));
        var later = Later().Match(File.ReadAllText(Path.Combine(conformance, "run.sh"))).Groups[1].Value.Split(' ');
        Assert.Equal([], named.Except(listed));
        Assert.Equal([], listed.Except(later).Except(named));
    }

    [Fact]
    public void Fault_in_rules_json_has_a_test_and_known_error_ids()
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(Docs("rules.json")));
        var faults = file.RootElement.GetProperty("faults").EnumerateArray().ToDictionary(fault => fault.GetProperty("id").GetInt32());
        Assert.NotEmpty(faults);
        Assert.Equal(faults.Keys.Order(), Tests.SelectMany(test => test.Faults).Distinct().Order());
        Assert.All(faults.Values, fault => Assert.All(Code().Matches(fault.GetProperty("outcome").GetString()!),
            code => Assert.True(Enum.TryParse<ErrorReason>(code.Groups[1].Value, out _), code.Value)));
    }

    private static IEnumerable<JsonElement> Rules(JsonDocument file) =>
        file.RootElement.GetProperty("groups").EnumerateArray().SelectMany(group => group.GetProperty("rules").EnumerateArray());

    private static string Docs(string name) => Path.Combine(Repository.Root, "docs", name);

    [GeneratedRegex(@"^\s+\[(?:Rule|FieldFault)\(", RegexOptions.Multiline)]
    private static partial Regex Attribute();

    [GeneratedRegex(@"`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex("^later=\" (.+) \"$", RegexOptions.Multiline)]
    private static partial Regex Later();
}

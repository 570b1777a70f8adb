using System.Text;
using System.Text.Json;

namespace McpSm.Core.Tests.Architecture;

/// <summary>Writes <c>docs/rules.md</c> from <c>docs/rules.json</c> and from the attributes of the tests.</summary>
/// <param name="rules">The content of <c>docs/rules.json</c>.</param>
/// <param name="tests">All tests.</param>
internal sealed class RulesPage(JsonElement rules, IReadOnlyList<SourceTest> tests)
{
    private const int Width = 130;
    private const string Introduction = """
        What the MCP specification 2026-07-28 and the RFCs under it require of a client that signs in. Below each rule are the tests that cover
        it, and the scenarios of the official conformance suite that check it; `tests/interop/conformance` runs the suite.

        This page is generated. The texts are in `rules.json`. A test names its rules with `[Rule(17, 18)]`, and the faults that it
        reproduces with `[FieldFault(3)]`. To write the page again, run the tests of `RulesTests` with `MCPSM_TEST_UPDATE=1`.
        """;
    private const string FaultIntroduction = """
        What servers and issuers do in the field and the conformance suite does not check. Each sign-in ends as stated, or with one
        error of the stated id. No broken credential is stored, and no secret is sent elsewhere.
        """;

    private readonly StringBuilder _page = new();

    public string Write()
    {
        Lines("# The rules of the protocol and their tests", "", Introduction.ReplaceLineEndings("\n"));
        foreach (var group in rules.GetProperty("groups").EnumerateArray())
        {
            Lines("", $"## {Text(group, "title")}");
            foreach (var rule in group.GetProperty("rules").EnumerateArray())
            {
                WriteRule(rule);
            }
        }
        Lines("", "## Faults found in the field", "", FaultIntroduction.ReplaceLineEndings("\n"));
        foreach (var fault in rules.GetProperty("faults").EnumerateArray())
        {
            var id = fault.GetProperty("id").GetInt32();
            Lines("", $"### Fault {id}", "");
            Wrapped("", Capitalized(Text(fault, "fault")) + ".");
            Lines("");
            Wrapped("", $"Outcome: {Text(fault, "outcome")}.");
            WriteTests(tests.Where(test => test.Faults.Contains(id)));
        }
        return _page.ToString();
    }

    private void WriteRule(JsonElement rule)
    {
        var id = Text(rule, "id");
        Lines("", $"### Rule {id}", "");
        Wrapped("", $"{Text(rule, "text")} ({Text(rule, "level")})");
        Lines("");
        Wrapped("", $"*{string.Join("; ", Texts(rule, "references"))}*");
        WriteTests(tests.Where(test => test.Rules.Contains(id)));
        var scenarios = Texts(rule, "scenarios");
        if (scenarios.Count > 0)
        {
            Lines("");
            Wrapped("", $"Conformance: {string.Join(", ", scenarios.Select(scenario => $"`{scenario}`"))}");
        }
    }

    private void WriteTests(IEnumerable<SourceTest> tests)
    {
        Lines("");
        foreach (var test in tests.Select(test => test.FullName).Distinct().Order(StringComparer.Ordinal))
        {
            Lines($"- `{test}`");
        }
    }

    private void Wrapped(string indent, string text)
    {
        var line = indent;
        foreach (var word in text.Split(' '))
        {
            if (line.Length > indent.Length && line.Length + 1 + word.Length > Width)
            {
                Lines(line);
                line = indent;
            }
            line += line.Length == indent.Length ? word : " " + word;
        }
        Lines(line);
    }

    private void Lines(params string[] lines) => _page.AppendJoin('\n', lines).Append('\n');

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;

    private static List<string> Texts(JsonElement element, string name) => [.. element.GetProperty(name).EnumerateArray().Select(text => text.GetString()!)];

    private static string Capitalized(string text) => text[0] == '`' ? text : char.ToUpperInvariant(text[0]) + text[1..];
}

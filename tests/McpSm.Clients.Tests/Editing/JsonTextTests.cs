using System.Text.Json.Nodes;
using McpSm.Clients.Editing;
using Xunit;

namespace McpSm.Clients.Tests.Editing;

public sealed class JsonTextTests
{
    private static readonly ServerContainer Servers = new(["mcpServers"], ContainerShape.Map);

    private static readonly JsonObject Entry = new() { ["command"] = "new" };

    [Theory]
    [InlineData("{", 1, 2, "a name in quotation marks is expected")]
    [InlineData("{\"a\": 1 \"b\": 2}", 1, 9, "a comma is expected")]
    [InlineData("{\n  \"a\" 1}", 2, 7, "a colon is expected")]
    [InlineData("{\"a\": [1, , 2]}", 1, 11, "a value is expected")]
    [InlineData("{\"a\": [,]}", 1, 8, "a value is expected")]
    [InlineData("{,}", 1, 2, "a name in quotation marks is expected")]
    [InlineData("{} {}", 1, 4, "there is text after the end")]
    [InlineData("{} /* open", 1, 3, "a comment does not end")]
    [InlineData("{\"a\": \"b\n\"}", 1, 9, "a text has a control character")]
    [InlineData("{\"a\": \"b", 1, 9, "a closing quotation mark is missing")]
    [InlineData("{\"a\": \"\\x\"}", 1, 10, "a text has a wrong escape sequence")]
    [InlineData("{\"a\": \"\\u12g4\"}", 1, 10, "a text has a wrong escape sequence")]
    [InlineData("{\"a\": 01}", 1, 8, "a comma is expected")]
    [InlineData("{\"a\": 1.}", 1, 9, "a digit is expected")]
    [InlineData("{\"a\": -}", 1, 8, "a digit is expected")]
    [InlineData("{\"a\": truth}", 1, 7, "a value is expected")]
    [InlineData("{\"a\": NaN}", 1, 7, "a value is expected")]
    [InlineData("{'a': 1}", 1, 2, "a name in quotation marks is expected")]
    [InlineData("\0", 1, 1, "a value is expected")]
    public void Text_that_is_not_JSON_is_refused_with_its_place(string text, int line, int column, string problem)
    {
        var e = Assert.Throws<ConfigurationSyntaxException>(() => Parse(text));
        Assert.Equal((line, column, problem), (e.Line, e.Column, e.Message));
    }

    [Theory]
    [InlineData("[")]
    [InlineData("{\"a\":")]
    public void Deeply_nested_text_is_refused_without_an_overflow(string open)
    {
        var deep = string.Concat(Enumerable.Repeat(open, 100_000));
        Assert.StartsWith("it is nested more than 256", Assert.Throws<ConfigurationSyntaxException>(() => Parse(deep)).Message, StringComparison.Ordinal);
        var allowed = string.Concat(Enumerable.Repeat("[", 250)) + string.Concat(Enumerable.Repeat("]", 250));
        Assert.Contains("new", Parse($"{{\"x\": {allowed}}}").Set(Servers, "a", Entry).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "the document is a list, not a map")]
    [InlineData("\"x\"", "the document is a single value, not a map")]
    [InlineData("{\"mcpServers\": []}", "'mcpServers' is a list, not a map")]
    [InlineData("{\"mcpServers\": \"x\"}", "'mcpServers' is a single value, not a map")]
    public void Container_of_another_type_is_refused(string text, string problem)
    {
        Assert.Equal(problem, Assert.Throws<ConfigurationLayoutException>(() => Parse(text).GetServers(Servers)).Message);
        Assert.Equal(problem, Assert.Throws<ConfigurationLayoutException>(() => Parse(text).Set(Servers, "a", Entry)).Message);
        Assert.Equal(problem, Assert.Throws<ConfigurationLayoutException>(() => Parse(text).Remove(Servers, "a")).Message);
    }

    [Fact]
    public void Last_of_repeated_keys_is_read_and_changed_and_all_are_removed()
    {
        var text = CorpusFile.Read(ConfigurationFormat.Json, "duplicates.json");
        Assert.Equal("new", Parse(text).GetValue(["mcpServers", "a", "command"])!.GetValue<string>());
        var changed = Parse(text).Set(Servers, "a", new() { ["command"] = "newer" }).Text;
        Assert.Equal(text.Replace("\"new\"", "\"newer\"", StringComparison.Ordinal), changed);
        Assert.Equal("{\n  \"mcpServers\": {\n    \"b\": { \"command\": \"b\" }\n  }\n}\n", Parse(text).Remove(Servers, "a").Text);
    }

    [Fact]
    public void Removed_entry_takes_the_comment_on_its_line_along()
    {
        const string text = """
            {
              "mcpServers": {
                // about a
                "a": { "command": "a" }, // a
                // about b
                "b": { "command": "b" }, // b
                // about c
                "c": { "command": "c" } // c
              }
            }
            """;
        Assert.Equal(text.Replace("    \"b\": { \"command\": \"b\" }, // b\n", "", StringComparison.Ordinal), Parse(text).Remove(Servers, "b").Text);
        var withoutC = text.Replace("    \"c\": { \"command\": \"c\" } // c\n", "", StringComparison.Ordinal);
        Assert.Equal(withoutC.Replace("}, // b", "} // b", StringComparison.Ordinal), Parse(text).Remove(Servers, "c").Text);
    }

    [Fact]
    public void Changed_entry_keeps_comments_and_members_that_stay()
    {
        const string text = """
            {
              "mcpServers": {
                "a": {
                  // do not touch
                  "type": "http", // old
                  "url": "https://a.example",
                  "env": { "K": "1" }
                }
              }
            }
            """;
        var edit = Parse(text).Set(Servers, "a", new() { ["command"] = "x", ["args"] = new JsonArray("y"), ["env"] = new JsonObject { ["K"] = "2" } });
        Assert.Equal("""
            {
              "mcpServers": {
                "a": {
                  // do not touch
                  "env": { "K": "2" },
                  "command": "x",
                  "args": ["y"]
                }
              }
            }
            """, edit.Text);
    }

    [Fact]
    public void Last_entry_is_removed_and_leaves_an_empty_container()
    {
        var text = Parse("{\n  \"mcpServers\": {\n    \"a\": {}\n  },\n  \"b\": 1\n}\n").Remove(Servers, "a").Text;
        Assert.Equal("{\n  \"mcpServers\": {},\n  \"b\": 1\n}\n", text);
        Assert.Equal("{\n  \"b\": 1\n}\n", Parse(text).RemoveEmpty(["mcpServers"]).Text);
        Assert.False(Parse(text).IsBare);
        Assert.True(Parse(Parse("{\"mcpServers\": {}}").RemoveEmpty(["mcpServers"]).Text).IsBare);
    }

    [Theory]
    [InlineData("{\"mcpServers\": {\"a\": {}}}")]
    [InlineData("{\"mcpServers\": {/* c */}}")]
    [InlineData("{}")]
    [InlineData("{\"mcpServers\": 1}")]
    public void Container_that_is_not_empty_stays_in_the_text(string text) => Assert.Equal(text, Parse(text).RemoveEmpty(["mcpServers"]).Text);

    [Theory]
    [InlineData("\\ud800")]
    [InlineData("\\u0000")]
    [InlineData("\\/\\b\\f\\n\\r\\t\\\"\\\\")]
    public void Odd_text_elsewhere_does_not_prevent_an_edit(string odd)
    {
        var edit = Parse($"{{\"{odd}\": [\"{odd}\", 1e999, -0.0]}}").Set(Servers, "a", Entry);
        Assert.StartsWith($"{{\"{odd}\": [\"{odd}\", 1e999, -0.0], ", edit.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_of_ten_megabytes_is_edited_in_seconds()
    {
        var history = $"{{\n      \"history\": [\n        {{ \"display\": \"{new string('x', 200)}\" }}\n      ]\n    }}";
        var projects = string.Join(",\n", Enumerable.Range(0, 40_000).Select(i => $"    \"/home/dev/{i}\": {history}"));
        var text = $"{{\n  \"projects\": {{\n{projects}\n  }},\n  \"mcpServers\": {{}}\n}}\n";
        var started = DateTime.UtcNow;
        var edit = Parse(text).Set(Servers, "a", Entry);
        Assert.Equal(text, TextEdit.Undo(edit.Text, edit.Insertions));
        Assert.InRange(DateTime.UtcNow - started, TimeSpan.Zero, TimeSpan.FromSeconds(20));
    }

    private static ConfigurationText Parse(string text) => ConfigurationText.Parse(ConfigurationFormat.Json, text);
}

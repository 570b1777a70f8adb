using System.Text.Json.Nodes;
using McpSm.Clients.Editing;
using Xunit;

namespace McpSm.Clients.Tests.Editing;

public sealed class YamlTextTests
{
    private static readonly ServerContainer Servers = new(["extensions"], ContainerShape.Map);

    [Theory]
    [InlineData("a: 1\n---\nb: 2\n", 2, "it has more than one document")]
    [InlineData("a: 1\na: 2\n", 2, "a key is defined twice")]
    [InlineData("a: *x\n", 1, "an alias has no anchor before it")]
    [InlineData("a: &x\n  b: *x\n", 2, "an alias has no anchor before it")]
    [InlineData("a: [1\n", 2, "it is not valid YAML")]
    [InlineData("a: \"x\n", 1, "it is not valid YAML")]
    [InlineData("a: b: c\n", 1, "it is not valid YAML")]
    public void Text_that_is_not_YAML_is_refused_with_its_line(string text, int line, string problem)
    {
        var e = Assert.Throws<ConfigurationSyntaxException>(() => Parse(text));
        Assert.Equal((line, problem), (e.Line, e.Message));
    }

    [Fact]
    public void Tab_as_indentation_is_refused() => Assert.Throws<ConfigurationSyntaxException>(() => Parse("extensions:\n\ta: 1\n"));

    [Theory]
    [InlineData("[")]
    [InlineData("{a: ")]
    [InlineData("- ")]
    public void Deeply_nested_text_is_refused_without_an_overflow(string open)
    {
        var deep = string.Concat(Enumerable.Repeat(open, 20_000));
        Assert.Throws<ConfigurationSyntaxException>(() => Parse(deep));
    }

    [Fact]
    public void Aliases_that_stand_for_too_many_values_are_refused()
    {
        var text = "a0: &a0 [x, x]\n" + string.Concat(Enumerable.Range(1, 40).Select(i => $"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n")) + "extensions: {b: *a40}\n";
        Assert.Equal("its aliases stand for too many values", Assert.Throws<ConfigurationLayoutException>(() => Parse(text).GetServers(Servers)).Message);
        var chain = "a0: &a0 [x]\n" + string.Concat(Enumerable.Range(1, 5000).Select(i => $"a{i}: &a{i} [*a{i - 1}]\n")) + "extensions: {b: *a5000}\n";
        Assert.Throws<ConfigurationLayoutException>(() => Parse(chain).GetServers(Servers));
        // Elsewhere they do not matter.
        var other = new ServerContainer(["other"], ContainerShape.Map);
        Assert.Contains("other:\n  x:\n    a: b", Parse(text).Set(other, "x", new() { ["a"] = "b" }).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("base: &b\n  a: {cmd: a}\nextensions: *b\n")]
    [InlineData("extensions: &b\n  a: {cmd: a}\nother: *b\n")]
    [InlineData("extensions:\n  a: &b {cmd: a}\nother: *b\n")]
    [InlineData("extensions:\n  a:\n    env: &b {K: v}\nother: *b\n")]
    public void Value_that_an_alias_repeats_is_not_edited(string text)
    {
        var parsed = Parse(text);
        Assert.Equal(["a"], parsed.GetServers(Servers).Select(s => s.Name));
        var e = Assert.Throws<ConfigurationLayoutException>(() => parsed.Remove(Servers, "a"));
        Assert.Equal("an alias repeats this value, so that an edit would change both", e.Message);
    }

    [Fact]
    public void Scalars_are_read_by_the_core_schema()
    {
        var value = Parse("a: [null, ~, true, 'true', 12, 0x1F, 1.5, .5, 1e3, yes, 012, 1_0, \"\"]\n").GetValue(["a"]);
        Assert.Equal("""[null,null,true,"true",12,31,1.5,0.5,1000,"yes",12,"1_0",""]""", value!.ToJsonString());
    }

    [Theory]
    [InlineData("yes")]
    [InlineData("NULL")]
    [InlineData("1.0")]
    [InlineData("012")]
    [InlineData("1:30")]
    [InlineData("2020-01-01")]
    [InlineData("C:\\x y\\z.exe")]
    [InlineData("it's")]
    [InlineData("a: b # c")]
    [InlineData("- x")]
    [InlineData("a\nb")]
    [InlineData("\u0085\u2028")]
    [InlineData("")]
    public void Text_is_written_so_that_it_stays_a_text(string text)
    {
        var edited = Parse("").Set(Servers, text, new() { ["cmd"] = text }).Text;
        Assert.Equal(text, Parse(edited).GetValue(["extensions", text, "cmd"])!.GetValue<string>());
    }

    [Fact]
    public void Last_entry_leaves_an_empty_map_or_list()
    {
        Assert.Equal("extensions: {} # c\nz: 1\n", Parse("extensions: # c\n  a:\n    cmd: a\nz: 1\n").Remove(Servers, "a").Text);
        var list = new ServerContainer(["mcpServers"], ContainerShape.List);
        Assert.Equal("mcpServers: []\n", Parse("mcpServers:\n- name: a\n  command: b\n").Remove(list, "a").Text);
    }

    [Fact]
    public void Changed_entry_keeps_comments_and_members_that_stay()
    {
        const string text = "extensions:\n  a:\n    # c\n    enabled: true # on\n    uri: https://a.example\n    timeout: 300\n";
        var edit = Parse(text).Set(Servers, "a", new() { ["enabled"] = true, ["timeout"] = 60, ["cmd"] = "x", ["args"] = new JsonArray("b") });
        Assert.Equal("extensions:\n  a:\n    # c\n    enabled: true # on\n    timeout: 60\n    cmd: x\n    args:\n      - b\n", edit.Text);
    }

    private static ConfigurationText Parse(string text) => ConfigurationText.Parse(ConfigurationFormat.Yaml, text);
}

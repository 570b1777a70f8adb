using System.Text.Json.Nodes;
using McpSm.Clients.Editing;
using Xunit;

namespace McpSm.Clients.Tests.Editing;

public sealed class TomlTextTests
{
    private static readonly ServerContainer Servers = new(["mcp_servers"], ContainerShape.Map);

    [Theory]
    [InlineData("a = \n", 1, "it is not valid TOML")]
    [InlineData("a = \"x\nb = 1\n", 1, "it is not valid TOML")]
    [InlineData("a = 1\n\na = 2\n", 3, "a key is defined twice")]
    [InlineData("[a]\n[a]\n", 2, "a key is defined twice")]
    [InlineData("a.b = 1\n[a]\n", 2, "a key is defined twice")]
    [InlineData("a = {b = 1}\n[a.c]\n", 2, "a key is defined twice")]
    [InlineData("a = {b = 1}\na.c = 2\n", 2, "a key is defined twice")]
    [InlineData("[[a]]\n[a]\n", 2, "a key is defined twice")]
    [InlineData("a = [1]\n[[a]]\n", 2, "a key is defined twice")]
    [InlineData("[a]\n[[a]]\n", 2, "a key is defined twice")]
    [InlineData("[a.b]\nx = 1\n[a]\nb.c = 2\n", 4, "a key is defined twice")]
    [InlineData("[a.b]\nx = 1\n[a]\nb = 2\n", 4, "a key is defined twice")]
    [InlineData("a = {b = 1, b = 2}\n", 1, "a key is defined twice")]
    [InlineData("a = 1\n[a.b]\n", 2, "a key is defined twice")]
    [InlineData("secret = \"s3cret\"\nsecret = 2\n", 2, "a key is defined twice")]
    public void Text_that_is_not_TOML_is_refused_with_its_line_and_without_its_text(string text, int line, string problem)
    {
        var e = Assert.Throws<ConfigurationSyntaxException>(() => Parse(text));
        Assert.Equal((line, problem), (e.Line, e.Message));
    }

    [Theory]
    [InlineData("[a.b.c]\n[a]\nx = 1\n[a.b]\ny = 1\n")]
    [InlineData("[a]\nb.c = 1\nb.d = 2\n[a.e]\n")]
    [InlineData("[[a]]\n[a.env]\nx = 1\n[[a]]\nenv = {}\n")]
    [InlineData("[[a]]\n[[a.b]]\n[[a.b]]\n[[a]]\n[[a.b]]\n[a.b.c]\n")]
    public void Tables_that_TOML_allows_are_read(string text) => Assert.NotNull(Parse(text).GetValue(["a"]));

    [Fact]
    public void Deeply_nested_text_is_refused_without_an_overflow()
    {
        var deep = "a = " + new string('[', 100_000);
        Assert.Equal("it is nested too deeply", Assert.Throws<ConfigurationSyntaxException>(() => Parse(deep)).Message);
    }

    [Fact]
    public void Removed_server_takes_all_its_tables_along_and_no_comment_of_others()
    {
        var text = CorpusFile.Read(ConfigurationFormat.Toml, "codex-spread.toml");
        Assert.Equal("[other]\nx = 1\n\n[mcp_servers.b]\ncommand = \"b\"\n\n[zzz]\n", Parse(text).Remove(Servers, "a").Text.Split("y =")[0]);
        var codex = CorpusFile.Read(ConfigurationFormat.Toml, "codex-config.toml");
        var removed = Parse(codex).Remove(Servers, "db").Text;
        var before = codex[..codex.IndexOf("\n[mcp_servers.db]", StringComparison.Ordinal)];
        Assert.Equal(before + codex[codex.IndexOf("\n# Trusted", StringComparison.Ordinal)..], removed);
    }

    [Fact]
    public void Changed_server_keeps_comments_and_gets_and_loses_members()
    {
        const string text = """
            [mcp_servers.a]
            # comment
            url = "https://a.example" # old
            enabled = true # stays

            [mcp_servers.a.http_headers]
            X = "1"

            [other]
            """;
        var edit = Parse(text).Set(Servers, "a", new() { ["enabled"] = true, ["command"] = "x", ["env"] = new JsonObject { ["K"] = "v" } });
        Assert.Equal("""
            [mcp_servers.a]
            # comment
            enabled = true # stays
            command = "x"

            [mcp_servers.a.env]
            K = "v"

            [other]
            """, edit.Text);
    }

    [Fact]
    public void Null_cannot_be_written_as_TOML()
    {
        var e = Assert.Throws<ConfigurationLayoutException>(() => Parse("").Set(Servers, "a", new() { ["x"] = null }));
        Assert.Equal("TOML cannot have the value null", e.Message);
    }

    private static ConfigurationText Parse(string text) => ConfigurationText.Parse(ConfigurationFormat.Toml, text);
}

using McpSm.Clients.Catalog;
using Xunit;

namespace McpSm.Clients.Tests.Catalog;

public class PathTemplateTests
{
    [Theory]
    [InlineData("~/.cursor/mcp.json", "/home/me/.cursor/mcp.json", @"C:\Users\me\.cursor\mcp.json")]
    [InlineData("{CODEX_HOME|~/.codex}/config.toml", "/codex/config.toml", @"/codex\config.toml")]
    [InlineData("{UNSET|{EMPTY|~/x}}/y", "/home/me/x/y", @"C:\Users\me\x\y")]
    [InlineData("{SLASH|~}/.claude.json", "/claude/.claude.json", @"/claude\.claude.json")]
    [InlineData("a~b/c", "a~b/c", @"a~b\c")]
    public void Template_is_expanded_on_each_system(string template, string unix, string windows)
    {
        Assert.Equal(unix, PathTemplate.Expand(template, Create(ClientSystem.Linux, "/home/me")));
        Assert.Equal(windows, PathTemplate.Expand(template, Create(ClientSystem.Windows, @"C:\Users\me")));
    }

    [Theory]
    [InlineData("{CODEX_HOME|~/.codex")]
    [InlineData("{CODEX_HOME}/config.toml")]
    [InlineData("{|~}/config.toml")]
    public void Template_with_a_mistake_is_refused(string template) =>
        Assert.Throws<FormatException>(() => PathTemplate.Expand(template, Create(ClientSystem.Linux, "/home/me")));

    private static ClientEnvironment Create(ClientSystem system, string home) => new(system, home, name => name switch
    {
        "CODEX_HOME" => "/codex",
        "SLASH" => "/claude/",
        "EMPTY" => "",
        _ => null,
    });
}

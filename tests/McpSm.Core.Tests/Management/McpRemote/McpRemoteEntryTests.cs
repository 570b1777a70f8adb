using McpSm.Core.Management.McpRemote;
using Xunit;

namespace McpSm.Core.Tests.Management.McpRemote;

/// <summary>Names of the files of mcp-remote, and the command lines they are made of.</summary>
public sealed class McpRemoteEntryTests
{
    private const string Url = "https://example.com/mcp";

    /// <summary>The names are what <c>getServerUrlHash</c> of mcp-remote 0.15.1 returned for the same values.</summary>
    [Fact]
    public void Hash_equals_that_of_the_package()
    {
        Assert.Equal("8724945d3c4865fe12d6890203193588", McpRemoteEntry.Hash(Url, null, null, null, null, null));
        Assert.Equal("e3ce7d4dc47d0413ec1cb2081bd1f550", McpRemoteEntry.Hash(Url, "https://tenant1.example/", null, null, null, null));
        Assert.Equal("3cf7f485abef13e73e0d6a13ee62dd2a", McpRemoteEntry.Hash(Url, null, null, new Dictionary<string, string>
        {
            ["x-b"] = "1",
            ["X-A"] = "Bearer ${T}",
            ["Z"] = "\"\\\u0001\t\n\b\f\r\u007f\u2028é😀/<",
        }, null, null));
        Assert.Equal("f53587a19363b2ff2b6a301779b4de38", McpRemoteEntry.Hash(Url, "r",
            new Dictionary<string, string> { ["prompt"] = "consent", ["audience"] = "x y" }, new Dictionary<string, string> { ["a"] = "" },
            "https://c.example/m", "https://i.example/token"));
    }

    [Theory]
    [InlineData("npx mcp-remote https://example.com/mcp")]
    [InlineData("npx -y mcp-remote@latest https://example.com/mcp 3334")]
    [InlineData("npx -y mcp-remote@0.1.37 --header X-A:b https://example.com/mcp")]
    [InlineData("cmd /c npx mcp-remote https://example.com/mcp --debug")]
    [InlineData("node /opt/node_modules/mcp-remote/dist/proxy.js https://example.com/mcp")]
    [InlineData(@"C:\Users\me\AppData\Roaming\npm\mcp-remote.cmd https://example.com/mcp")]
    [InlineData("bunx mcp-remote https://example.com/mcp")]
    public void Command_line_of_the_package_gives_its_URL(string command) => Assert.Equal(Url, Read(command)?.Url);

    [Theory]
    [InlineData("npx mcp-remote-other https://example.com/mcp")]
    [InlineData("npx @scope/other https://example.com/mcp-remote")]
    [InlineData("npx mcp-remote")]
    [InlineData("npx mcp-remote --help")]
    public void Other_command_line_is_not_an_entry(string command) => Assert.Null(Read(command));

    [Fact]
    public void Options_of_the_package_are_read()
    {
        var entry = McpRemoteArguments.Read(
            [
                "npx", "mcp-remote", Url, "--header", "Authorization:${AUTH}", "--header-file", "headers", "--resource", " https://r.example/ ",
                "--authorize-param", "prompt=consent", "--authorize-param", "a=b=c", "--transport", "sse-only",
                "--ignore-tool", "delete*", "--ignore-tool", "x",
                "--static-oauth-client-info", """{"client_id":"me","client_secret":"${SECRET}"}""", "--static-oauth-client-metadata", "@metadata",
                "--client-metadata-url", "https://c.example/client.json",
            ],
            new Dictionary<string, string> { ["AUTH"] = "Bearer t", ["SECRET"] = "s" },
            path => path == "headers" ? "# comment\r\nX-Key: value\r\n" : """{"scope":"a b"}""")!;

        Assert.Equal(new Dictionary<string, string> { ["Authorization"] = "${AUTH}", ["X-Key"] = "value" }, entry.Headers);
        Assert.Equal("Bearer t", entry.Expanded(out var missing)["Authorization"]);
        Assert.Empty(missing);
        Assert.Equal("https://r.example/", entry.Resource);
        Assert.Equal(new Dictionary<string, string> { ["prompt"] = "consent", ["a"] = "b=c" }, entry.AuthorizeParams);
        Assert.Equal(("sse-only", "me", "s", "a b", "https://c.example/client.json"),
            (entry.Transport, entry.ClientId, entry.ClientSecret, entry.Scope, entry.ClientMetadataUrl));
        Assert.Equal(["delete*", "x"], entry.IgnoreTools);
        Assert.DoesNotContain("Bearer", entry.ToString());
    }

    [Fact]
    public void Header_with_a_variable_that_is_not_set_is_left_out() =>
        Assert.Empty(Read("npx mcp-remote https://example.com/mcp --header X-A:${B}")!.Expanded(out _));

    private static McpRemoteEntry? Read(string command) => McpRemoteArguments.Read(command.Split(' '), new Dictionary<string, string>(), _ => null);
}

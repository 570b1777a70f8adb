using McpSm.Commands.Tests.Support;
using Xunit;

namespace McpSm.Commands.Tests.Servers;

/// <summary>Tests of commands with the URL of a server instead of its name.</summary>
public sealed class ServerByUrlTests
{
    private const string Url = "https://a.example/mcp?key=1";

    [Theory]
    [InlineData("auth status URL", 4)]
    [InlineData("auth token URL", 4)]
    [InlineData("auth refresh URL", 4)]
    [InlineData("auth logout URL", 0)]
    [InlineData("auth revoke URL", 0)]
    [InlineData("auth set URL a-token", 0)]
    [InlineData("server update URL --scope a", 0)]
    [InlineData("import URL", 0)]
    [InlineData("remove URL --yes", 0)]
    public async Task Command_with_a_URL_finds_the_server(string line, int code)
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri(Url));
        Assert.Equal(code, (await mcpsm.RunAsync(line.Replace("URL", Url, StringComparison.Ordinal))).Code);
    }

    [Theory]
    [InlineData("auth status URL")]
    [InlineData("auth set URL a-token")]
    [InlineData("test URL")]
    [InlineData("remove URL --yes")]
    public async Task Unknown_URL_is_an_error_that_suggests_add(string line)
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri(Url));
        (await mcpsm.RunAsync(line.Replace("URL", "https://b.example/mcp", StringComparison.Ordinal)))
            .Failed(1, "The catalog does not have a server with that URL.", "mcpsm add");
    }

    [Fact]
    public async Task Login_with_name_needs_a_URL()
    {
        using var mcpsm = new InProcessCli();
        (await mcpsm.RunAsync("auth login my-api --name other")).Failed(2, "--name requires the URL of a new server.");
    }
}

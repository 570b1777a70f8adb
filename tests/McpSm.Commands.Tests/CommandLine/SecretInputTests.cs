using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.CommandLine;

/// <summary>Tests of secrets from standard input.</summary>
public sealed class SecretInputTests
{
    private const string Secret = "secret-0123456789";

    [Theory]
    [InlineData("auth set my-api -")]
    [InlineData("auth reject my-api")]
    [InlineData("server update my-api --name other --token -")]
    [InlineData("server update my-api --name other --header X-Key=-")]
    [InlineData("add other --type http --url https://b.example/mcp --token -")]
    [InlineData("add other --type http --url https://b.example/mcp --header X-Key=-")]
    public async Task Secret_of_several_lines_is_refused_and_not_saved(string line)
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        var before = mcpsm.Files();
        foreach (var lines in new string[][] { [Secret, "second"], [Secret, "", "second"], ["user", Secret] })
        {
            var ended = (await mcpsm.RunAsync(line, TestConsole.Pipe(lines))).Failed(2, "Standard input has several lines");
            Assert.DoesNotContain(Secret, ended.Out + ended.Error);
        }
        Assert.Equal(before, mcpsm.Files());
    }

    [Theory]
    [InlineData(Secret, "")]
    [InlineData(Secret, "", "")]
    [InlineData("  " + Secret + " ")]
    public async Task Blank_lines_after_the_secret_are_ignored(params string[] lines)
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await mcpsm.RunAsync("auth set my-api -", TestConsole.Pipe(lines))).Done();
        Assert.Equal(Secret, await mcpsm.TokenAsync());
    }

    [Theory]
    [InlineData("Bearer abc", "it begins with 'Bearer'")]
    [InlineData("bearer  abc", "it begins with 'Bearer'")]
    [InlineData("Authorization: Bearer abc", "it begins with 'Authorization: Bearer'")]
    [InlineData("DPoP abc", "it begins with 'DPoP'")]
    [InlineData("abc def", "it contains spaces")]
    [InlineData("abcä", "it contains characters outside ASCII")]
    public async Task Text_that_is_not_a_token_is_refused_with_the_reason(string text, string message)
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        var ended = (await mcpsm.RunAsync("auth set my-api -", TestConsole.Pipe(text))).Failed(2, message);
        Assert.DoesNotContain("abc", ended.Out + ended.Error);
        (await mcpsm.RunAsync(["auth", "set", "my-api", text])).Failed(2, message);
    }

    [Fact]
    public async Task Line_break_at_the_end_of_a_variable_is_removed()
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true });
        using var mcpsm = new InProcessCli();
        mcpsm.Variables["KEY_OF_MINE"] = Secret + "\r\n";
        (await mcpsm.RunAsync($"add my-api --type http --url {server.McpUrl} --header-from-env X-Key=KEY_OF_MINE "
            + "--client-id me --client-secret-from-env KEY_OF_MINE")).Done();
        (await mcpsm.RunAsync("test my-api")).Done();
        Assert.Equal(Secret, server.Traffic.To("/mcp")[^1].Header("X-Key"));
        mcpsm.Variables["KEY_OF_MINE"] = Secret + "\nsecond";
        (await mcpsm.RunAsync("server update my-api --client-secret-from-env KEY_OF_MINE")).Failed(2, "several lines");
        (await mcpsm.RunAsync("server update my-api --header-from-env X-Key=KEY_OF_MINE")).Failed(2, "several lines");
    }
}

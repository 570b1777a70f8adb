using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.CommandLine;

/// <summary>Tests of secret headers that are not on the command line.</summary>
public sealed class HeaderOptionTests
{
    private const string Secret = "header-secret-0123456789";

    [Theory]
    [InlineData("add my-api --type http --url")]
    [InlineData("server update my-api --url")]
    public async Task Header_value_from_standard_input_is_sent_and_never_shown(string command)
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true });
        using var mcpsm = new InProcessCli();
        await PrepareAsync(mcpsm, command, server.McpUrl);
        AssertHidden((await mcpsm.RunAsync([.. command.Split(' '), server.McpUrl.AbsoluteUri, "--header", "X-Key=-", "--header", "X-Team=blue"],
            TestConsole.Pipe(Secret))).Done());
        await AssertSentAsync(mcpsm, server, ("X-Key", Secret), ("X-Team", "blue"));
    }

    [Fact]
    public async Task Header_value_is_read_at_a_terminal_without_echo()
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true });
        using var mcpsm = new InProcessCli();
        var console = TestConsole.Terminal(Secret);
        AssertHidden((await mcpsm.RunAsync(["add", "my-api", "--type", "http", "--url", server.McpUrl.AbsoluteUri, "--header=X-Key=-"], console)).Done());
        Assert.Equal(["Value of the header X-Key: "], console.SecretPrompts);
        await AssertSentAsync(mcpsm, server, ("X-Key", Secret));
    }

    [Theory]
    [InlineData("add my-api --type http --url")]
    [InlineData("server update my-api --url")]
    public async Task Header_values_from_variables_are_sent_and_never_shown(string command)
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true });
        using var mcpsm = new InProcessCli();
        (mcpsm.Variables["KEY_OF_MINE"], mcpsm.Variables["OTHER"]) = (Secret, "second-" + Secret);
        await PrepareAsync(mcpsm, command, server.McpUrl);
        AssertHidden((await mcpsm.RunAsync([.. command.Split(' '), server.McpUrl.AbsoluteUri, "--header-from-env", "X-Key=KEY_OF_MINE", "--header-from-env",
            "X-Other=OTHER", "--token", "-"], TestConsole.Pipe("a-token"))).Done());
        await AssertSentAsync(mcpsm, server, ("X-Key", Secret), ("X-Other", "second-" + Secret));
    }

    [Theory]
    [InlineData("--header X-A=- --header X-B=-", 2, "Only one header can be read from standard input.")]
    [InlineData("--header X-A=- --token -", 2, "Standard input can provide only one secret")]
    [InlineData("--header-from-env X-A=NOT_SET", 2, "A variable that --header-from-env names is not set.")]
    [InlineData("--header-from-env X-A", 2, "must be name=VARIABLE")]
    [InlineData("--header X-A=1 --header-from-env x-a=KEY_OF_MINE", 2, "The same header is given twice.")]
    [InlineData("--header X-A=-", 4, "Standard input has no value of the header.")]
    [InlineData("--header-from-env X-A=BAD", 2, "printable ASCII")]
    public async Task Wrong_header_option_is_one_error_without_the_value(string options, int code, string message)
    {
        using var mcpsm = new InProcessCli();
        (mcpsm.Variables["KEY_OF_MINE"], mcpsm.Variables["BAD"]) = (Secret, Secret + "\u001b");
        var ended = (await mcpsm.RunAsync(["add", "my-api", "--type", "http", "--url", "https://a.example/mcp", .. options.Split(' ')])).Failed(code, message);
        AssertHidden(ended);
        Assert.Contains("There are no servers yet", (await mcpsm.RunAsync("list")).Error);
    }

    private static async Task PrepareAsync(InProcessCli mcpsm, string command, Uri url)
    {
        if (command.StartsWith("server", StringComparison.Ordinal))
        {
            await mcpsm.AddAsync(url);
        }
    }

    private static void AssertHidden(CliResult ended) => Assert.DoesNotContain(Secret, ended.Out + ended.Error);

    private static async Task AssertSentAsync(InProcessCli mcpsm, TestMcpServer server, params (string Name, string Value)[] headers)
    {
        Assert.DoesNotContain(Secret, File.ReadAllText(mcpsm.PathOf("config.json")));
        var ended = (await mcpsm.RunAsync("test my-api")).Done();
        AssertHidden(ended);
        var request = server.Traffic.To("/mcp")[^1];
        Assert.All(headers, h => Assert.Equal(h.Value, request.Header(h.Name)));
    }
}

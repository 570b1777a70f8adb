using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.CommandLine;

/// <summary>Tests of prompts, including prompts without an answer.</summary>
public sealed class PromptTests
{
    [Fact]
    public async Task Token_typed_at_a_terminal_is_not_shown()
    {
        using var mcpsm = await WithServerAsync();
        var console = TestConsole.Terminal("typed-token");
        var ended = (await mcpsm.RunAsync("auth set my-api", console)).Done();
        Assert.Equal(["Token for my-api: "], console.SecretPrompts);
        Assert.Equal("✔ Bearer token of 'my-api' stored.\n", ended.Out);
        Assert.DoesNotContain("typed-token", ended.Error);
        Assert.DoesNotContain("Hint", ended.Error);
        Assert.Equal("typed-token", await mcpsm.TokenAsync());
    }

    [Theory]
    [InlineData("auth set my-api -")]
    [InlineData("server update my-api --token -")]
    public async Task Token_for_a_dash_at_a_terminal_is_not_shown(string line)
    {
        using var mcpsm = await WithServerAsync();
        var console = TestConsole.Terminal("typed-token");
        (await mcpsm.RunAsync(line, console)).Done();
        Assert.Equal(["Token: "], console.SecretPrompts);
        Assert.Equal("typed-token", await mcpsm.TokenAsync());
    }

    [Fact]
    public async Task Empty_line_at_the_token_prompt_is_an_error()
    {
        using var mcpsm = await WithServerAsync();
        (await mcpsm.RunAsync("auth set my-api", TestConsole.Terminal(""))).Failed(2, "empty");
        Assert.Equal("NotAuthenticated", (string?)(await mcpsm.StatusAsync())["state"]);
    }

    [Fact]
    public async Task Set_without_a_terminal_does_not_prompt()
    {
        using var mcpsm = await WithServerAsync();
        var console = TestConsole.Pipe("piped-token");
        (await mcpsm.RunAsync("auth set my-api", console)).Failed(4, "at a terminal", "mcpsm auth set my-api -");
        Assert.Empty(console.SecretPrompts);
    }

    [Theory]
    [InlineData("auth set my-api", true, 4, "mcpsm auth set my-api -")]
    [InlineData("auth set my-api -", false, 4, "Standard input has no token")]
    [InlineData("auth set my-api -", true, 4, "Standard input has no token")]
    [InlineData("server update my-api --name other --token -", false, 4, "Standard input has no token")]
    [InlineData("add other --type http --url https://b.example/mcp --token -", false, 4, "Standard input has no token")]
    [InlineData("remove my-api", false, 4, "mcpsm remove my-api --yes")]
    [InlineData("remove my-api", true, 4, "mcpsm remove my-api --yes")]
    public async Task Closed_standard_input_at_a_prompt_is_one_error(string line, bool terminal, int code, string says)
    {
        using var mcpsm = await WithServerAsync();
        var before = mcpsm.Files();
        var ended = await mcpsm.RunAsync(line, terminal ? TestConsole.EndedTerminal() : TestConsole.Pipe());
        // The prompt is on the same line as the error, because no answer ended the line.
        ended = ended with { Error = ended.Error.Replace("[y/N] ", "[y/N]\n") };
        ended.Failed(code, says);
        Assert.Equal(before, mcpsm.Files());
    }

    [Theory]
    [InlineData("y", true)]
    [InlineData("YES", true)]
    [InlineData(" y ", true)]
    [InlineData("n", false)]
    [InlineData("", false)]
    [InlineData("yep", false)]
    public async Task Remove_at_a_terminal_asks_first(string answer, bool removed)
    {
        using var mcpsm = await WithServerAsync();
        var before = mcpsm.Files();
        var ended = await mcpsm.RunAsync("remove my-api", TestConsole.Terminal(answer));
        Assert.StartsWith("Remove 'my-api' and its credentials? [y/N] ", ended.Error);
        Assert.Equal(removed ? 0 : 1, ended.Code);
        Assert.Equal(removed ? "✔ Server 'my-api' removed.\n" : "", ended.Out);
        Assert.Equal(!removed, ended.Error.EndsWith("Nothing was removed.\n"));
        Assert.Equal(removed ? 0 : 1, mcpsm.Config().Count);
        Assert.Equal(!removed, before.SequenceEqual(mcpsm.Files()));
    }

    [Fact]
    public async Task Piped_answer_confirms_a_removal()
    {
        using var mcpsm = await WithServerAsync();
        (await mcpsm.RunAsync("remove my-api", TestConsole.Pipe("y"))).Done();
        Assert.Empty(mcpsm.Config());
    }

    [Theory]
    [InlineData("remove my-api")]
    [InlineData("auth set my-api")]
    [InlineData("auth set my-api -")]
    public async Task Ctrl_C_at_a_prompt_ends_with_130(string line)
    {
        using var mcpsm = await WithServerAsync();
        var before = mcpsm.Files();
        using var interrupt = new CancellationTokenSource();
        var running = mcpsm.RunUntilAsync(line.Split(' '), TestConsole.Terminal(), interrupt.Token);
        Assert.False(running.IsCompleted);
        await interrupt.CancelAsync();
        var ended = await running;
        Assert.Equal(130, ended.Code);
        Assert.EndsWith("Cancelled.\n", ended.Error);
        Assert.Equal(before, mcpsm.Files());
    }

    [Fact]
    public async Task Redirect_address_can_be_pasted_at_a_terminal()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        var console = TestConsole.Terminal();
        mcpsm.Browse = async url =>
        {
            // The browser of another machine cannot follow the redirect to this machine's loopback.
            using var handler = new HttpClientHandler { AllowAutoRedirect = false };
            using var browser = new HttpClient(handler);
            using var answer = await browser.GetAsync(url);
            var address = answer.Headers.Location!.AbsoluteUri;
            console.Type("", "https://somewhere.example/", address.Replace("state=", "state=x"), $"  {address}  ");
        };
        var ended = (await mcpsm.RunAsync("auth login my-api --no-browser", console)).Done();
        Assert.Contains("paste the address of its last page here", ended.Error);
        Assert.Equal(2, ended.Error.Split("That is not the address that this sign-in ends on").Length - 1);
        Assert.Equal("✔ Signed in to 'my-api' (expires: in 60 min).\n", ended.Out);
    }

    [Fact]
    public async Task Closed_standard_input_only_turns_pasting_off()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        var ended = (await mcpsm.RunAsync("auth login my-api --no-browser", TestConsole.EndedTerminal())).Done();
        Assert.Contains("✔ Signed in", ended.Out);
        ended = (await mcpsm.RunAsync("auth login my-api --no-browser", TestConsole.Pipe())).Done();
        Assert.DoesNotContain("paste", ended.Error);
    }

    private static async Task<InProcessCli> WithServerAsync()
    {
        var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        return mcpsm;
    }
}

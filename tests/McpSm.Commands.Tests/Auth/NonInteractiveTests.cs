using System.Diagnostics;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>Tests of non-interactive commands: those that need a person fail at once, with exit code 4 and a remedy.</summary>
public sealed class NonInteractiveTests
{
    [Theory]
    [InlineData(null, null, false, true)]
    [InlineData("", null, false, true)]
    [InlineData("false", null, false, true)]
    [InlineData("0", null, false, true)]
    [InlineData("true", null, false, false)]
    [InlineData("1", null, false, false)]
    [InlineData("true", "1", false, true)]
    [InlineData("true", "true", false, true)]
    [InlineData("true", "", false, false)]
    [InlineData(null, "0", false, false)]
    [InlineData(null, "false", false, false)]
    [InlineData("false", "0", false, false)]
    [InlineData(null, null, true, false)]
    [InlineData("true", "1", true, false)]
    public async Task Interactivity_follows_the_option_then_MCPSM_INTERACTIVE_then_CI(
        string? ci, string? interactive, bool option, bool canAnswer)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        mcpsm.Variables.Remove("MCPSM_INTERACTIVE");
        Set(mcpsm, "CI", ci);
        Set(mcpsm, "MCPSM_INTERACTIVE", interactive);
        foreach (var verb in new[] { "auth login my-api", "auth my-api" })
        {
            var ended = await mcpsm.RunAsync($"{verb} --no-browser{(option ? " --non-interactive" : "")}");
            if (canAnswer)
            {
                ended.Done();
            }
            else
            {
                ended.Failed(4, "no person can answer", "mcpsm auth login my-api", "mcpsm auth set my-api -");
                Assert.Empty(server.Traffic.Requests);
            }
        }
    }

    [Theory]
    [InlineData("auth set my-api", "mcpsm auth set my-api -")]
    [InlineData("remove my-api", "--yes")]
    [InlineData("auth logout my-api", "--force")]
    public async Task Command_without_a_person_asks_nothing(string line, string remedy)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Done();
        mcpsm.Variables["MCPSM_INTERACTIVE"] = "0";
        var before = mcpsm.Files();
        (await mcpsm.RunAsync(line, TestConsole.Terminal("y"))).Failed(4, remedy);
        Assert.Equal(before, mcpsm.Files());
    }

    [Fact]
    public async Task Process_under_CI_ends_at_once()
    {
        using var mcpsm = new CliProcess();
        mcpsm.Variables["CI"] = "true";
        mcpsm.Variables["MCPSM_INTERACTIVE"] = "";
        // TEST-NET-1: a connection attempt would wait for ten seconds.
        (await mcpsm.RunAsync("add my-api --type http --url https://192.0.2.1/mcp")).Done();
        var started = Stopwatch.GetTimestamp();
        (await mcpsm.RunAsync("auth login my-api")).Failed(4, "no person can answer");
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 8);
    }

    private static void Set(InProcessCli mcpsm, string name, string? value)
    {
        if (value is not null)
        {
            mcpsm.Variables[name] = value;
        }
    }
}

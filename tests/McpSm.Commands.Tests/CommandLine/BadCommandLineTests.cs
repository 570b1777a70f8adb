using McpSm.Commands.Tests.Support;
using Xunit;

namespace McpSm.Commands.Tests.CommandLine;

/// <summary>Tests of invalid command lines: one error and an exit code, without a change and without repeating an argument.</summary>
public sealed class BadCommandLineTests
{
    [Theory]
    [InlineData("auth status nosuch", 1, "Existing servers: my-api.")]
    [InlineData("add my-api --type http --url https://b.example/mcp", 1, "already")]
    [InlineData("add login --type http --url https://b.example/mcp", 2, "name of a command")]
    [InlineData("add b --type http --url ftp://b.example/mcp", 2, "scheme")]
    [InlineData("add b --type http --url https://u:p@b.example/mcp", 2, "user name")]
    [InlineData("add b --type http --url nothing", 2, "absolute URL")]
    [InlineData("add b --type stdio --url https://b.example", 2, "http or sse")]
    [InlineData("add b --url https://b.example", 2, "--type")]
    [InlineData("auth logn", 2, "Did you mean 'login'?")]
    [InlineData("auth set my-api PLANTED-TOKEN extra", 2, "too many")]
    [InlineData("auth set my-api", 4, "-")]
    [InlineData("auth login my-api --non-interactive", 4, "no person can answer")]
    [InlineData("remove my-api", 4, "--yes")]
    [InlineData("auth refresh my-api", 4, "mcpsm auth login my-api")]
    public async Task Bad_input_has_one_clear_error_and_an_exit_code(string line, int code, string says)
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        var before = mcpsm.Files();
        var ended = await mcpsm.RunAsync(line);
        ended = ended with { Error = ended.Error.Replace("[y/N] ", "\n") };
        ended.Failed(code, says);
        Assert.DoesNotContain("PLANTED", ended.Error);
        Assert.Equal(before, mcpsm.Files());
    }

    [Theory]
    [InlineData("auth", "mcpsm auth needs a command or a server.")]
    [InlineData("server", "mcpsm server needs a command.")]
    [InlineData("lst", "Did you mean 'list'?")]
    [InlineData("auth login", "mcpsm auth login needs <server>.")]
    [InlineData("auth login my-api --timeout 0", "--timeout")]
    [InlineData("auth login my-api --timeout soon", "--timeout")]
    [InlineData("auth login my-api --callback-port 65536", "--callback-port")]
    [InlineData("auth login my-api --callback-port", "--callback-port")]
    [InlineData("auth my-apo", "Did you mean 'my-api'?")]
    [InlineData("auth stat", "Did you mean 'status'?")]
    [InlineData("login my-api", "mcpsm does not have this command. Did you mean 'mcpsm auth login' or 'mcpsm identity login'?")]
    [InlineData("token my-api", "Did you mean 'mcpsm auth token'?")]
    [InlineData("server add other", "mcpsm server does not have this command. Did you mean 'mcpsm add' or 'mcpsm client add'?")]
    [InlineData("auth import", "Did you mean 'mcpsm import'?")]
    [InlineData("list --verbos", "Did you mean '--verbose'?")]
    [InlineData("auth login my-api --no-b", "Did you mean '--no-browser'?")]
    [InlineData("help lst", "mcpsm does not have this command. Did you mean 'list'?")]
    [InlineData("help login", "Did you mean 'mcpsm auth login' or")]
    [InlineData("help auth my-api", "mcpsm auth does not have this command.")]
    [InlineData("auth help list", "mcpsm auth does not have this command. Did you mean 'mcpsm list'")]
    [InlineData("list extra", "mcpsm list was given too many arguments.")]
    [InlineData("list --jsn", "Did you mean '--json'?")]
    [InlineData("add other", "mcpsm add needs --url and --type.")]
    [InlineData("add other https://b.example/mcp", "mcpsm add needs --url and --type.")]
    [InlineData("server update my-api --dpop sometimes", "The value of --dpop is missing or invalid. Use auto, always or never.")]
    [InlineData("auth login my-api --vault file --vault other", "--vault can be given only once.")]
    [InlineData("test my-api --timeout soon", "--timeout")]
    [InlineData("test my-api --timeout -5", "1 to 86400")]
    public async Task Wrong_usage_exits_with_2_and_suggests_help(string line, string says)
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        var before = mcpsm.Files();
        var ended = await mcpsm.RunAsync(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        ended.Failed(2, says);
        Assert.True(line.StartsWith("auth ") && ended.Error.Contains("  mcpsm list") || ended.Error.Contains(" --help"), ended.Error);
        Assert.Equal(before, mcpsm.Files());
    }

    [Theory]
    [InlineData("auth my-api status")]
    [InlineData("auth my-api login other")]
    [InlineData("auth my-api login-all")]
    [InlineData("auth my-api --no-browser logout other")]
    [InlineData("auth --no-browser login my-api")]
    public async Task Server_before_a_verb_is_a_usage_error(string line)
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await mcpsm.RunAsync(line)).Failed(2, "mcpsm auth");
    }
}

using System.CommandLine;
using McpSm.Commands.CommandLine;
using McpSm.Commands.Output;
using McpSm.Commands.Tests.Support;
using McpSm.Core.Configuration;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.CommandLine;

/// <summary>Tests of the declaration whether a command changes something, on which WhatIf in PowerShell depends.</summary>
public sealed class DeclaredActionTests
{
    /// <summary>The paths of the commands that can run.</summary>
    public static TheoryData<string> Paths => [.. Runnable(Tree(), "").Select(c => c.Path)];

    private static Command Tree() => McpsmCommand.Tree(new CommandContext(TestConsole.Pipe(), new AppEnvironment(_ => null, new TestClock()), null)).Root;

    private static IEnumerable<(string Path, Command Command)> Runnable(Command command, string path) =>
        (command.Action is null ? [] : new[] { (path, command) }).Concat(command.Subcommands.SelectMany(c => Runnable(c, $"{path} {c.Name}".Trim())));

    [Fact]
    public void Runnable_command_declares_whether_it_changes_something()
    {
        Assert.All(Runnable(Tree(), ""), c => Assert.True(c.Command is McpsmSubcommand, $"'{c.Path}' does not derive from McpsmSubcommand"));
        Assert.InRange(Runnable(Tree(), "").Count(), 20, 100);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task Command_under_WhatIf_changes_no_file_and_sends_no_request(string path)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new InProcessCli();
        mcpsm.Variables["MCPSM_VAULT"] = "file";
        await mcpsm.AddAsync(server.McpUrl);
        await mcpsm.AddAsync(new Uri("https://plain.example/mcp"), "plain");
        (await mcpsm.LoginAsync()).Done();
        var command = Runnable(Tree(), "").Single(c => c.Path == path).Command;
        var words = path.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToList();
        words.AddRange(command.Arguments.Select(a => a.Name switch
        {
            "server" => "my-api",
            "name" => "new-api",
            "vault" => "file",
            "issuer" => issuer.Issuer,
            "shell" => "bash",
            "setting" => "no-proxy",
            "client" => "cursor",
            _ => "a-token",
        }));
        words.AddRange(command.Options.Where(o => o.Required).SelectMany(o => new[] { o.Name, o.Name == "--type" ? "http" : server.McpUrl.AbsoluteUri }));
        var (before, requests) = (mcpsm.Files(), issuer.Traffic.Requests.Count + server.Traffic.Requests.Count);
        var console = new WhatIfConsole();

        var code = await McpsmCommand.RunAsync(words, console,
            new AppEnvironment(name => name == "MCPSM_CONFIG_DIR" ? mcpsm.Folder : mcpsm.Variables.GetValueOrDefault(name), mcpsm.Clock),
            Cancellation, []);

        Assert.True(code == ExitCode.Done, $"{string.Join(' ', words)}: {code} {console.Error}");
        var reads = path.Split(' ')[^1] is "status" or "token" or "list" or "test" or "proxy" or "vault" or "identity" or "completion" or "config" or "client";
        Assert.Equal(reads ? 0 : 1, console.Said.Count);
        Assert.DoesNotContain("a-token", string.Concat(console.Said));
        Assert.Equal(before, mcpsm.Files());
        if (path != "test")
        {
            Assert.Equal(requests, issuer.Traffic.Requests.Count + server.Traffic.Requests.Count);
        }
    }

    [Fact]
    public async Task Dry_run_under_WhatIf_runs()
    {
        using var mcpsm = new InProcessCli();
        var console = new WhatIfConsole();
        await McpsmCommand.RunAsync(["import", "--dry-run"], console,
            new AppEnvironment(name => name == "MCPSM_CONFIG_DIR" ? mcpsm.Folder : null, mcpsm.Clock), Cancellation, []);
        Assert.Empty(console.Said);
    }

    [Fact]
    public async Task Unknown_server_under_WhatIf_is_an_error_without_the_arguments()
    {
        using var mcpsm = new InProcessCli();
        var console = new WhatIfConsole();
        var code = await McpsmCommand.RunAsync(["auth", "set", "a-token"], console,
            new AppEnvironment(name => name == "MCPSM_CONFIG_DIR" ? mcpsm.Folder : null, mcpsm.Clock),
            Cancellation, []);
        Assert.Equal(ExitCode.Failed, code);
        Assert.Empty(console.Said);
        Assert.DoesNotContain("a-token", console.Error.ToString());
    }

    private sealed class WhatIfConsole : ICommandConsole
    {
        public List<string> Said { get; } = [];

        public TextWriter Out { get; } = new StringWriter();

        public TextWriter Error { get; } = new StringWriter();

        public bool Colours => false;

        public bool ErrorColours => false;

        public bool IsInputTerminal => true;

        public (Stream Input, Stream Output)? OpenStandardStreams() => (Stream.Null, Stream.Null);

        public bool IsWhatIf => true;

        public Task SayWhatIfAsync(string operation, string? target, CancellationToken cancellationToken)
        {
            Said.Add($"{operation} {target}");
            return Task.CompletedTask;
        }

        public Task<string?> ReadLineAsync(CancellationToken cancellationToken) =>
            throw new InvalidOperationException("A command must not prompt under WhatIf.");

        public Task<string?> ReadSecretAsync(string prompt, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("A command must not prompt under WhatIf.");
    }
}

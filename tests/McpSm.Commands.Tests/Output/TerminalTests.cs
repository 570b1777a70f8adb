using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Output;

/// <summary>Tests of input and output on a terminal.</summary>
public sealed class TerminalTests
{
    [Theory]
    [InlineData("", "xterm-256color", true)]
    [InlineData("1", "xterm-256color", false)]
    [InlineData("", "dumb", false)]
    public async Task Colours_are_used_on_a_terminal_unless_NO_COLOR_or_dumb(string noColor, string term, bool coloured)
    {
        await using var terminal = await TerminalAsync(["auth", "status"], ("NO_COLOR", noColor), ("TERM", term));
        var printed = await terminal.EndAsync();
        Assert.Contains("Not authenticated", printed);
        Assert.Equal(coloured, printed.Contains("\x1b[31m✘\x1b[0m"));
    }

    [Fact]
    public async Task Token_typed_at_a_terminal_is_never_shown_and_can_be_corrected()
    {
        await using var terminal = await TerminalAsync(["auth", "set", "my-api"]);
        await terminal.WaitForAsync("Token for my-api: ");
        // Key by key, so that many of them arrive while the command does not read.
        foreach (var key in "PLANTEDx\u007f-typed\r")
        {
            await terminal.TypeAsync(key);
        }
        var printed = await terminal.EndAsync();
        Assert.Contains("Bearer token of 'my-api' stored.", printed);
        Assert.Equal("PLANTED-typed", (await terminal.Mcpsm.RunAsync("auth token my-api")).Done().Out.Trim());
        // Not a single letter is shown: the line ends after the prompt.
        Assert.Matches(@"Token for my-api: (\x1b\[[?0-9;]*[a-zA-Z]|\x1b[=>])*\r?\n", printed);
        Assert.DoesNotContain("typed", printed);
    }

    [Fact]
    public async Task Ctrl_C_and_Ctrl_D_end_a_token_prompt()
    {
        foreach (var (key, code) in new[] { ('\x03', 130), ('\x04', 4) })
        {
            await using var terminal = await TerminalAsync(["auth", "set", "my-api"]);
            await terminal.WaitForAsync("Token for my-api: ");
            await terminal.TypeAsync(key);
            await terminal.EndAsync();
            Assert.Equal(code, terminal.ExitCode);
        }
    }

    [Fact]
    public async Task Question_at_a_terminal_is_answered()
    {
        await using var terminal = await TerminalAsync(["remove", "my-api"]);
        await terminal.WaitForAsync("[y/N] ");
        await terminal.TypeAsync('y');
        await terminal.TypeAsync('\r');
        Assert.Contains("Server 'my-api' removed.", await terminal.EndAsync());
        Assert.Equal(0, terminal.ExitCode);
    }

    [Fact]
    public async Task Address_pasted_at_a_terminal_completes_the_sign_in()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        await using var terminal = await TerminalAsync(["auth", "login-all", "--no-browser", "--callback-port", "0"], async mcpsm =>
        {
            (await mcpsm.RunAsync("remove my-api --yes")).Done();
            foreach (var name in new[] { "first", "second" })
            {
                (await mcpsm.RunAsync($"add {name} --type http --url {server.McpUrl}")).Done();
            }
        });
        // The first redirect completes the sign-in. The wait for a pasted address must end too.
        using var http = new HttpClient();
        (await http.GetAsync(await UrlAsync(1), Cancellation)).Dispose();
        using var unopened = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
        using var redirect = await unopened.GetAsync(await UrlAsync(2), Cancellation);
        foreach (var key in redirect.Headers.Location!.AbsoluteUri + "\r")
        {
            await terminal.TypeAsync(key, quickly: true);
        }
        Assert.Contains("Signed in to 'second'", await terminal.EndAsync());

        async Task<string> UrlAsync(int which)
        {
            await terminal.WaitForAsync("Waiting for the sign-in", which);
            return Regex.Matches(terminal.Said(), @"http://\S+response_type=code\S+")[which - 1].Value;
        }
    }

    private static Task<Terminal> TerminalAsync(string[] arguments, params (string Name, string Value)[] variables) =>
        TerminalAsync(arguments, mcpsm =>
        {
            foreach (var (name, value) in variables)
            {
                mcpsm.Variables[name] = value;
            }
            return Task.CompletedTask;
        });

    private static async Task<Terminal> TerminalAsync(string[] arguments, Func<CliProcess, Task> prepare)
    {
        Require.OrSkip(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "The command script of util-linux is missing; it makes a terminal.");
        var mcpsm = new CliProcess();
        (await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        await prepare(mcpsm);
        return new Terminal(mcpsm, arguments);
    }

    /// <summary>Runs the executable on a terminal, which has standard output and error in one stream.</summary>
    private sealed class Terminal : IAsyncDisposable
    {
        private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);

        private readonly Process _process;
        private readonly Task _reading;
        private readonly StringBuilder _said = new();

        public Terminal(CliProcess mcpsm, string[] arguments)
        {
            Mcpsm = mcpsm;
            _process = mcpsm.Start(arguments, onTerminal: true);
            _reading = ReadAsync();
        }

        public CliProcess Mcpsm { get; }

        public int ExitCode => _process.ExitCode;

        public async Task WaitForAsync(string words, int times = 1)
        {
            for (var started = Stopwatch.GetTimestamp(); Said().Split(words).Length <= times; await Task.Delay(10))
            {
                Assert.False(_process.HasExited || Stopwatch.GetElapsedTime(started) > Longest, Said());
            }
        }

        public async Task TypeAsync(char key, bool quickly = false)
        {
            await _process.StandardInput.WriteAsync(key);
            await _process.StandardInput.FlushAsync();
            await Task.Delay(quickly ? 0 : 15);
        }

        public async Task<string> EndAsync()
        {
            await _process.WaitForExitAsync().WaitAsync(Longest);
            await _reading.WaitAsync(Longest);
            return Said();
        }

        public async ValueTask DisposeAsync()
        {
            if (!_process.HasExited)
            {
                _process.Kill(entireProcessTree: true);
                await _process.WaitForExitAsync();
            }
            await _reading;
            _process.Dispose();
            Mcpsm.Dispose();
        }

        public string Said()
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }

        private async Task ReadAsync()
        {
            var buffer = new char[1024];
            int read;
            while ((read = await _process.StandardOutput.ReadAsync(buffer)) > 0)
            {
                lock (_said)
                {
                    _said.Append(buffer, 0, read);
                }
            }
        }
    }
}

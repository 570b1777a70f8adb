using System.Diagnostics;
using System.Text;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Completion;

/// <summary>Tests of Tab in real shells on a terminal, with names that a shell would expand and run.</summary>
public sealed class ShellCompletionTests
{
    private const string Vault = "secretmanagement:It's $(touch pwned) `touch pwned` \"a\"! & more";

    private static async Task<CliProcess> WithServersAsync()
    {
        var mcpsm = new CliProcess();
        File.WriteAllText(Path.Combine(mcpsm.Folder, "config.json"), """
            {"remoteServers":[
            {"id":"my-api","name":"my-api","url":"https://a.example/mcp"},
            {"id":"evil","name":"$(touch pwned)`touch pwned`;touch pwned","url":"https://b.example/mcp"},
            {"id":"their-server","name":"Their Server","url":"https://c.example/mcp","oauth":{"authServerUrl":"https://issuer.example/a?b=$(touch pwned)&c"}}]}
            """);
        (await mcpsm.RunAsync(["auth", "set", "my-api", "-", "--vault", "file"], "kept-token")).Done();
        File.WriteAllText(Path.Combine(mcpsm.Folder, "settings.json"), System.Text.Json.JsonSerializer.Serialize(new { vault = Vault }));
        mcpsm.Variables["TERM"] = "dumb";
        mcpsm.Variables["ZDOTDIR"] = mcpsm.Variables["XDG_CONFIG_HOME"] = mcpsm.Variables["XDG_DATA_HOME"] = mcpsm.Folder;
        return mcpsm;
    }

    [Theory]
    [InlineData("bash", "bash --norc --noprofile -i",
        "source <(mcpsm completion bash); complete -F _mcpsm args; args() { printf '<%s>' \"$@\"; echo; }; set +o history; cd '{0}'")]
    [InlineData("zsh", "zsh -f -i", "source <(mcpsm completion zsh); compdef _mcpsm args; args() { printf '<%s>' \"$@\"; echo; }; cd '{0}'")]
    [InlineData("fish", "fish --no-config -i",
        "mcpsm completion fish | source; complete -c args --no-files -a '(__mcpsm_suggest)'; function args; printf '<%s>' $argv; echo; end; cd '{0}'")]
    public async Task Tab_completes_and_runs_nothing(string shell, string commandLine, string prepare)
    {
        Require.OrSkip(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "The command script of util-linux is missing; it makes a terminal.");
        Require.Programs(shell);
        using var mcpsm = await WithServersAsync();
        await using var terminal = new Terminal(mcpsm.StartOnTerminal(commandLine));
        await terminal.TypeAsync(string.Format(prepare.Replace("{ ", "{{ ").Replace("; }", "; }}"), mcpsm.Folder) + "; printf '%s\\n' re''ady\r", "\nready");
        // Each line is completed to these words.
        foreach (var (typed, words) in new[]
        {
            ("args auth tok\tmy-a\t", "<auth><token><my-api>"),
            ("args auth login ev\t", "<auth><login><evil>"),
            ("args auth login their\t", "<auth><login><their-server>"),
            ("args vault use secretm\t", $"<vault><use><{Vault}>"),
            ("args auth login my-api --vault secretm\t", $"<auth><login><my-api><--vault><{Vault}>"),
            ("args vault use 'secretm\t", $"<vault><use><{Vault}>"),
            ("args vault use \"secretm\t", $"<vault><use><{Vault}>"),
            ("args server update my-api --issuer h\t", "<server><update><my-api><--issuer><https://issuer.example/a?b=$(touch pwned)&c>"),
            ("mcpsm auth tok\tmy-a\t", "kept-token"),
        })
        {
            await terminal.TypeAsync(typed + "\r", "\n" + words);
        }
        Assert.False(File.Exists(Path.Combine(mcpsm.Folder, "pwned")));
    }

    [Fact]
    public async Task Tab_shows_no_error_of_a_failed_completion()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The test needs bash.");
        Require.Programs("bash");
        using var mcpsm = await WithServersAsync();
        File.WriteAllText(Path.Combine(mcpsm.Folder, "config.json"), "not json");
        const string ask = "source <(mcpsm completion bash); COMP_LINE='mcpsm auth login '; COMP_POINT=17; ";
        Assert.Equal(new CliResult(0, "0\n", ""), await mcpsm.RunProgramAsync("bash", "-c", ask + "_mcpsm; echo ${#COMPREPLY[@]}"));
        Assert.Equal(new CliResult(0, "0\n", ""), await mcpsm.RunProgramAsync("bash", "-c", ask + "PATH=; _mcpsm; echo ${#COMPREPLY[@]}"));
    }

    [Fact]
    public async Task Tab_completes_in_pwsh()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The test puts mcpsm on PATH as a shell script.");
        using var mcpsm = await WithServersAsync();
        RealPowerShell.AddTo(mcpsm.Variables);
        var script = Path.Combine(mcpsm.Folder, "try.ps1");
        File.WriteAllText(script, """
            mcpsm completion pwsh | Out-String | Invoke-Expression
            $global:LASTEXITCODE = 7
            function tab($line) { (TabExpansion2 $line $line.Length).CompletionMatches.CompletionText -join ' ' }
            tab 'mcpsm auth tok'
            tab '$x = 1; mcpsm auth login '
            tab 'mcpsm vault use secretm'
            tab 'mcpsm auth login "my'
            tab 'mcpsm list --j'
            "$LASTEXITCODE $($Error.Count)"
            """);
        var ended = await mcpsm.RunProgramAsync(RealPowerShell.Executable, "-NoProfile", "-NonInteractive", "-File", script);
        Assert.Equal(["token", "evil my-api their-server", $"'{Vault.Replace("'", "''")}'", "my-api", "--json", "7 0"], ended.Out.Split('\n')[..^1]);
        Assert.Equal("", ended.Error);
    }

    /// <summary>Types in a shell and returns the output of the terminal.</summary>
    private sealed class Terminal : IAsyncDisposable
    {
        private readonly Process _shell;
        private readonly StringBuilder _shown = new();
        private readonly Task _reading;

        public Terminal(Process shell)
        {
            _shell = shell;
            _reading = Task.Run(async () =>
            {
                var buffer = new char[1024];
                while (await shell.StandardOutput.ReadAsync(buffer) is > 0 and var read)
                {
                    lock (_shown)
                    {
                        _shown.Append(buffer, 0, read);
                    }
                }
            });
        }

        public async Task TypeAsync(string typed, string until)
        {
            lock (_shown)
            {
                _shown.Clear();
            }
            await _shell.StandardInput.WriteAsync(typed);
            await _shell.StandardInput.FlushAsync();
            var clock = Stopwatch.StartNew();
            while (!Shown().Contains(until))
            {
                Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30), $"'{until.Trim()}' did not come behind '{typed}':\n{Shown()}");
                await Task.Delay(20);
            }
        }

        public async ValueTask DisposeAsync()
        {
            _shell.Kill(entireProcessTree: true);
            await _shell.WaitForExitAsync();
            await _reading;
            _shell.Dispose();
        }

        private string Shown()
        {
            lock (_shown)
            {
                return _shown.Replace("\r", "").ToString();
            }
        }
    }
}

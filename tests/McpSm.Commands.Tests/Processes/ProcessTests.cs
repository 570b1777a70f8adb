using System.Diagnostics;
using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Core.Files;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Processes;

/// <summary>Tests that need a process: closed pipes, full devices, the environment and a browser.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task Closed_output_pipe_ends_the_process_quietly()
    {
        using var mcpsm = new CliProcess();
        var servers = new JsonArray([.. Enumerable.Range(0, 3000).Select(i => (JsonNode)new JsonObject
        {
            ["id"] = $"server-{i}", ["name"] = $"server-{i}", ["type"] = "http", ["url"] = "https://a.example/" + new string('x', 60),
        })]);
        File.WriteAllText(Path.Combine(mcpsm.Folder, "config.json"), new JsonObject { ["remoteServers"] = servers }.ToJsonString());
        using var process = mcpsm.Start(["list"]);
        // More than the buffer of a pipe, so the process still writes when the reader closes the pipe.
        Assert.Contains("server-0", await process.StandardOutput.ReadLineAsync(Cancellation));
        process.StandardOutput.Close();
        Assert.Equal("", await process.StandardError.ReadToEndAsync(Cancellation));
        await process.WaitForExitAsync(Cancellation);
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task Output_pipe_closed_before_the_first_line_is_not_an_error()
    {
        using var mcpsm = new CliProcess();
        (await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        using var process = mcpsm.Start(["auth", "set", "my-api", "-"]);
        process.StandardOutput.Close();
        await process.StandardInput.WriteLineAsync("piped-token");
        process.StandardInput.Close();
        Assert.DoesNotContain("✘", await process.StandardError.ReadToEndAsync(Cancellation));
        await process.WaitForExitAsync(Cancellation);
        Assert.Equal(0, process.ExitCode);
        Assert.Equal("piped-token", (await mcpsm.RunAsync("auth token my-api")).Done().Out.Trim());
    }

    [Theory]
    [InlineData("list")]
    [InlineData("auth token my-api")]
    [InlineData("--version")]
    [InlineData("auth --help")]
    public async Task Output_to_a_full_device_is_an_error(string line)
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "This system has no /dev/full.");
        using var mcpsm = new CliProcess();
        (await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp --token -", "a-token\n")).Done();
        (await mcpsm.RunShellAsync("exec \"$@\" >/dev/full", line.Split(' '))).Failed(1, "Reading or writing failed: No space left on device");
    }

    [Fact]
    public async Task Json_output_keeps_every_letter_in_any_locale()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not use this variable.");
        using var mcpsm = new CliProcess();
        (await mcpsm.RunAsync(["add", "api 日本", "--type", "http", "--url", "https://a.example/mcp"])).Done();
        mcpsm.Variables["LC_ALL"] = "en_US.ISO-8859-1";
        var listed = (await mcpsm.RunAsync("list --json")).Done().Out;
        Assert.Equal("api 日本", (string?)JsonNode.Parse(listed)![0]!["name"]);
    }

    [Theory]
    [InlineData("auth set my-api other-token", "2>&-", 0)]
    [InlineData("auth set my-api other-token", ">&- 2>&-", 0)]
    [InlineData("auth token nosuch", "2>&-", 1)]
    [InlineData("auth status", "<&- >&- 2>&-", 0)]
    [InlineData("auth set my-api -", "<&-", 4)]
    [InlineData("remove my-api", "<&-", 4)]
    public async Task Closed_standard_stream_acts_like_the_null_device(string line, string closed, int code)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The test needs a Unix shell.");
        using var mcpsm = new CliProcess();
        Assert.SkipWhen(mcpsm.Executable[0] == "dotnet", "The portable runtime reuses the number of a closed stream before the program starts.");
        (await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp --token -", "a-token\n")).Done();
        var ended = await mcpsm.RunShellAsync($"exec \"$@\" {closed}", line.Split(' '));
        Assert.Equal(code, ended.Code);
        Assert.DoesNotContain("unexpected", ended.Error);
        Assert.Equal(line.EndsWith("other-token") ? "other-token" : "a-token", (await mcpsm.RunAsync("auth token my-api")).Done().Out.Trim());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    public async Task Help_fits_a_terminal_of_any_width(int columns)
    {
        Require.OrSkip(OperatingSystem.IsLinux() && File.Exists("/usr/bin/script"), "The command script of util-linux is missing; it makes a terminal.");
        using var mcpsm = new CliProcess();
        using var process = mcpsm.StartOnTerminal($"stty cols {columns}; mcpsm auth login --help");
        var shown = await process.StandardOutput.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        Assert.True(process.ExitCode == 0, shown);
        Assert.Contains("mcpsm auth login my-api", shown);
    }

    [Fact]
    public async Task Output_without_a_terminal_has_no_escape_codes()
    {
        using var mcpsm = new CliProcess();
        mcpsm.Variables["TERM"] = "xterm-256color";
        (await mcpsm.RunAsync("add my-api --type http --url https://a.example/mcp")).Done();
        foreach (var line in new[] { "auth status", "auth status nosuch", "auth --help", "test my-api --timeout 1", "auth set my-api a-token" })
        {
            var ended = await mcpsm.RunAsync(line);
            Assert.DoesNotContain('\x1b', ended.Out + ended.Error);
        }
    }

    [Fact]
    public async Task Token_for_a_loopback_server_goes_to_no_proxy()
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { AcceptedTokens = ["a-token"] });
        await using var proxy = RawServer.Hanging();
        using var mcpsm = new CliProcess();
        foreach (var name in new[] { "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY" })
        {
            mcpsm.Variables[name] = proxy.Url.AbsoluteUri;
        }
        (await mcpsm.RunAsync($"add my-api --type http --url {server.McpUrl} --token -", "a-token\n")).Done();
        (await mcpsm.RunAsync("test my-api --timeout 20")).Done();
        Assert.Equal(0, proxy.Connections);
    }

    [Fact]
    public async Task File_locks_cannot_be_turned_off_by_the_environment()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows always locks.");
        using var mcpsm = new CliProcess();
        mcpsm.Variables["DOTNET_SYSTEM_IO_DISABLEFILELOCKING"] = "1";
        using var held = FileLock.TryAcquire(Path.Combine(mcpsm.Folder, "locks", "config.lock"));
        using var process = mcpsm.Start(["add", "my-api", "--type", "http", "--url", "https://a.example/mcp"]);
        await Task.Delay(TimeSpan.FromSeconds(3), Cancellation);
        Assert.False(process.HasExited);
        held!.Dispose();
        await process.WaitForExitAsync(Cancellation);
        Assert.Equal(0, process.ExitCode);
    }

    [Fact]
    public async Task Browser_outlives_the_command_and_holds_none_of_its_streams()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The stand-in for a browser is a shell script.");
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new CliProcess();
        var (script, input) = (Path.Combine(mcpsm.Folder, "browser"), Path.Combine(mcpsm.Folder, "input"));
        var (began, lives) = (Path.Combine(mcpsm.Folder, "began"), Path.Combine(mcpsm.Folder, "lives"));
        // Writes more than the buffer of a pipe, and writes again after the command has ended.
        File.WriteAllText(script, $"""
            cat > '{input}'
            head -c 200000 /dev/zero | tr '\0' x; head -c 200000 /dev/zero | tr '\0' x >&2
            echo $$ > '{began}'
            sleep 8; echo late; echo late >&2
            echo $$ > '{lives}'
            exec sleep 60
            """);
        mcpsm.Variables["BROWSER"] = $"/bin/sh '{script}'";
        (await mcpsm.RunAsync($"add my-api --type http --url {server.McpUrl}")).Done();
        var started = Stopwatch.GetTimestamp();
        try
        {
            var ended = (await mcpsm.RunAsync("auth login my-api --callback-port 0", "the next line of the input\n")).Done();
            Assert.Equal("", File.ReadAllText(input));
            Assert.False(File.Exists(lives), $"the command waited for the browser: {Stopwatch.GetElapsedTime(started)}");
            Assert.DoesNotContain("xxx", ended.Out + ended.Error);
            while (!File.Exists(lives) && Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(40))
            {
                await Task.Delay(50, Cancellation);
            }
            Assert.True(File.Exists(lives), "the browser ended when nothing read its output");
        }
        finally
        {
            if (File.Exists(began))
            {
                using var kill = Process.Start("kill", [(await File.ReadAllTextAsync(began, Cancellation)).Trim()]);
                await kill.WaitForExitAsync(Cancellation);
            }
        }
    }
}

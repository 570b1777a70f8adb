using System.Diagnostics;
using System.Reflection;
using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Processes;
using McpSm.Samples;
using McpSm.TestServers;

namespace McpSm.Commands.Tests.Support;

/// <summary>Runs the built executable as a process with a new configuration folder. MCPSM_TEST_EXE names another executable.</summary>
public sealed class CliProcess : IDisposable
{
    /// <summary>The time limit of a command.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(60);

    public string Folder { get; } = Directory.CreateTempSubdirectory("mcpsm-test-").FullName;

    /// <summary>The current folder of the command; null for that of the tests.</summary>
    public string? CurrentFolder { get; set; }

    public Dictionary<string, string?> Variables { get; } = new() { ["MCPSM_INTERACTIVE"] = "1", ["DISPLAY"] = ":0" };

    /// <summary>Handles a line of standard error; by default follows the authorization URL.</summary>
    public Func<string, Task> Follow { get; set; } = async line =>
    {
        if (AuthorizationUrl(line) is { } url)
        {
            (await StandInBrowser.ClickThroughAsync(url)).Dispose();
        }
    };

    /// <summary>Returns the authorization URL if the line is one; null for other lines.</summary>
    public static Uri? AuthorizationUrl(string line) =>
        line.StartsWith("http", StringComparison.Ordinal) && line.Contains("response_type=code") ? new Uri(line) : null;

    /// <summary>The program and its leading arguments.</summary>
    public string[] Executable { get; set; } = Environment.GetEnvironmentVariable("MCPSM_TEST_EXE") is { } native ? [native]
        : ["dotnet", Built("mcpsm")];

    /// <summary>Returns the path of a program of this build.</summary>
    public static string Built(string name) =>
        typeof(CliProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == name).Value!;

    public Task<CliResult> RunAsync(string commandLine, string input = "") => RunAsync(commandLine.Split(' '), input);

    /// <summary>Runs <c>mcpsm</c> and calls <see cref="Follow"/> for its lines of standard error.</summary>
    /// <param name="interruptAt">The text on standard error after which SIGINT is sent.</param>
    public Task<CliResult> RunAsync(string[] arguments, string input = "", string? interruptAt = null) =>
        FinishAsync(Start(arguments), input, interruptAt);

    /// <summary>Runs the sample <c>samples/DotNetClient</c> with the same configuration folder.</summary>
    public Task<CliResult> RunSampleAsync(string url) => FinishAsync(StartProgram(["dotnet", Built("sample"), url]), "", null);

    /// <summary>Runs a shell script. Its arguments are the command line.</summary>
    public Task<CliResult> RunShellAsync(string script, string[] arguments) =>
        FinishAsync(StartProgram(["sh", "-c", script, "sh", .. Executable, .. arguments]), "", null);

    /// <summary>Starts a shell script. Its first argument is the text, the others are the command line.</summary>
    public Process StartShell(string script, string text, params string[] arguments) =>
        StartProgram(["sh", "-c", script, "sh", text, .. Executable, .. arguments]);

    /// <summary>Runs a shell script file with <c>mcpsm</c> on PATH.</summary>
    public Task<CliResult> RunScriptAsync(string path)
    {
        PutOnPath();
        return FinishAsync(StartProgram(["sh", path]), "", null);
    }

    /// <summary>Runs another program with <c>mcpsm</c> on PATH.</summary>
    public Task<CliResult> RunProgramAsync(params string[] line) => RunProgramAsync(line, "");

    public Task<CliResult> RunProgramAsync(string[] line, string input)
    {
        PutOnPath();
        return FinishAsync(StartProgram(line), input, null);
    }

    /// <summary>Starts another program on a terminal with <c>mcpsm</c> on PATH. The streams of the process are the other end of the terminal.</summary>
    public Process StartOnTerminal(string commandLine)
    {
        PutOnPath();
        return StartProgram(["/usr/bin/script", "-qefc", commandLine, "/dev/null"]);
    }

    private void PutOnPath()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, "bin")).FullName;
        var program = Path.Combine(folder, "mcpsm");
        File.WriteAllText(program, $"#!/bin/sh\nexec {string.Join(' ', Executable.Select(a => $"'{a}'"))} \"$@\"\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        Variables["PATH"] = $"{folder}:{Environment.GetEnvironmentVariable("PATH")}";
    }

    /// <summary>Starts <c>mcpsm</c> with all three streams redirected.</summary>
    /// <param name="onTerminal">Whether the program runs on a terminal, with the streams as its other end.</param>
    public Process Start(string[] arguments, bool onTerminal = false) => StartProgram(!onTerminal ? [.. Executable, .. arguments]
        : ["/usr/bin/script", "-qefc", string.Join(' ', Executable.Concat(arguments).Select(a => $"'{a}'")), "/dev/null"]);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Whether this process ignores SIGINT or SIGHUP, as in the background or under nohup. Child processes would inherit that.</summary>
    private static bool IgnoresSignals => File.Exists("/proc/self/status") && File.ReadLines("/proc/self/status")
        .Any(l => l.StartsWith("SigIgn:") && (Convert.ToUInt64(l[7..].Trim(), 16) & 0b11) != 0);

    private Process StartProgram(string[] line)
    {
        // An absolute path, because a test can change the PATH of the child.
        line = IgnoresSignals ? ["/usr/bin/env", "--default-signal=INT,HUP", new ProgramFinder(new AppEnvironment()).Find(line[0])[0], .. line[1..]] : line;
        var start = new ProcessStartInfo(line[0], line[1..]) { WorkingDirectory = CurrentFolder };
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardInputEncoding = start.StandardOutputEncoding = start.StandardErrorEncoding = new UTF8Encoding(false);
        foreach (var name in UserEnvironment.Variables)
        {
            start.Environment.Remove(name);
        }
        // Without it, the command would find the keyring of the person who runs the tests.
        start.Environment["XDG_RUNTIME_DIR"] = Folder;
        start.Environment["MCP_MANAGER_CONFIG_DIR"] = Folder;
        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }

    private async Task<CliResult> FinishAsync(Process process, string input, string? interruptAt)
    {
        using var owned = process;
        using var limit = new CancellationTokenSource(Longest);
        try
        {
            var error = FollowAsync(process, interruptAt);
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            try
            {
                await process.StandardInput.WriteAsync(input);
                process.StandardInput.Close();
            }
            catch (IOException)
            {
                // The command has ended without reading its input, as most do.
            }
            await process.WaitForExitAsync(limit.Token);
            return new CliResult(process.ExitCode, await output, await error);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    private async Task<string> FollowAsync(Process process, string? interruptAt)
    {
        var all = new StringBuilder();
        while (await process.StandardError.ReadLineAsync() is { } line)
        {
            all.AppendLine(line);
            if (interruptAt is not null && line.Contains(interruptAt))
            {
                using var kill = Process.Start("kill", ["-INT", process.Id.ToString()]);
                await kill.WaitForExitAsync();
            }
            await Follow(line);
        }
        return all.ToString();
    }
}

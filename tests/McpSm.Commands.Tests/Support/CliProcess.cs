using System.Diagnostics;
using System.Reflection;
using System.Text;
using McpSm.Core.Configuration;
using McpSm.Core.Processes;
using McpSm.Samples;

namespace McpSm.Commands.Tests.Support;

/// <summary>The built executable, run as a process with a folder of its own; CI points it at the native one.</summary>
public sealed class CliProcess : IDisposable
{
    /// <summary>The longest that a command may take.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.FromSeconds(60);

    public string Folder { get; } = Directory.CreateTempSubdirectory("mcpsm-test-").FullName;

    /// <summary>The current folder of what is run; null for that of the tests.</summary>
    public string? CurrentFolder { get; set; }

    public Dictionary<string, string?> Variables { get; } = new() { ["MCPSM_INTERACTIVE"] = "1", ["DISPLAY"] = ":0" };

    /// <summary>What somebody does with a line of standard error; by default a stand-in follows the authorization URL.</summary>
    public Func<string, Task> Follow { get; set; } = async line =>
    {
        if (AuthorizationUrl(line) is { } url)
        {
            (await StandInBrowser.ClickThroughAsync(url)).Dispose();
        }
    };

    /// <summary>The authorization URL that is printed on a line of its own; null for other lines.</summary>
    public static Uri? AuthorizationUrl(string line) =>
        line.StartsWith("http", StringComparison.Ordinal) && line.Contains("response_type=code") ? new Uri(line) : null;

    /// <summary>The program and what stands before its arguments.</summary>
    public string[] Executable { get; set; } = Environment.GetEnvironmentVariable("MCPSM_TEST_EXE") is { } native ? [native]
        : ["dotnet", Built("mcpsm")];

    /// <summary>What this build made of that name.</summary>
    public static string Built(string name) =>
        typeof(CliProcess).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == name).Value!;

    public Task<CliResult> RunAsync(string commandLine, string input = "") => RunAsync(commandLine.Split(' '), input);

    /// <summary>Runs <c>mcpsm</c>; somebody follows what it prints (<see cref="Follow"/>).</summary>
    /// <param name="interruptAt">Words of standard error at which Ctrl+C is pressed.</param>
    public Task<CliResult> RunAsync(string[] arguments, string input = "", string? interruptAt = null) =>
        FinishAsync(Start(arguments), input, interruptAt);

    /// <summary>Runs the sample of a .NET program, which shares the folder.</summary>
    public Task<CliResult> RunSampleAsync(string url) => FinishAsync(StartProgram(["dotnet", Built("sample"), url]), "", null);

    /// <summary>Runs a shell script whose arguments are the command line.</summary>
    public Task<CliResult> RunShellAsync(string script, string[] arguments) =>
        FinishAsync(StartProgram(["sh", "-c", script, "sh", .. Executable, .. arguments]), "", null);

    /// <summary>Runs a file of a shell's, which finds <c>mcpsm</c> by its name.</summary>
    public Task<CliResult> RunScriptAsync(string path)
    {
        PutOnPath();
        return FinishAsync(StartProgram(["sh", path]), "", null);
    }

    /// <summary>Runs another program, which finds <c>mcpsm</c> by its name.</summary>
    public Task<CliResult> RunProgramAsync(params string[] line) => RunProgramAsync(line, "");

    public Task<CliResult> RunProgramAsync(string[] line, string input)
    {
        PutOnPath();
        return FinishAsync(StartProgram(line), input, null);
    }

    /// <summary>Starts another program on a terminal, whose ends are the three streams. It finds <c>mcpsm</c> by its name.</summary>
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
    /// <param name="onTerminal">These are then the two ends of a terminal that the program has.</param>
    public Process Start(string[] arguments, bool onTerminal = false) => StartProgram(!onTerminal ? [.. Executable, .. arguments]
        : ["/usr/bin/script", "-qefc", string.Join(' ', Executable.Concat(arguments).Select(a => $"'{a}'")), "/dev/null"]);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Whether SIGINT or SIGHUP is ignored here, as in the background and under nohup. Every child would inherit that.</summary>
    private static bool IgnoresSignals => File.Exists("/proc/self/status") && File.ReadLines("/proc/self/status")
        .Any(l => l.StartsWith("SigIgn:") && (Convert.ToUInt64(l[7..].Trim(), 16) & 0b11) != 0);

    private Process StartProgram(string[] line)
    {
        // env looks on the PATH of the child, which a test may have made an odd one.
        line = IgnoresSignals ? ["/usr/bin/env", "--default-signal=INT,HUP", new ProgramFinder(new AppEnvironment()).Find(line[0])[0], .. line[1..]] : line;
        var start = new ProcessStartInfo(line[0], line[1..]) { WorkingDirectory = CurrentFolder };
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardInputEncoding = start.StandardOutputEncoding = start.StandardErrorEncoding = new UTF8Encoding(false);
        foreach (var name in new[] { "CI", "BROWSER", "NO_COLOR", "MCPSM_VAULT", "MCPSM_VAULT_PASSPHRASE", "MCPSM_CALLBACK_PORT", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR" })
        {
            start.Environment.Remove(name);
        }
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
                // It has ended without reading, as most commands do.
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

using System.Diagnostics;
using System.Reflection;
using System.Text;
using McpSm.Samples;

namespace McpSm.Commands.Tests;

/// <summary>The built executable, run as a process with a folder of its own; CI points it at the native one.</summary>
public sealed class Mcpsm : IDisposable
{
    public string Folder { get; } = Directory.CreateTempSubdirectory("mcpsm-test-").FullName;

    public Dictionary<string, string?> Variables { get; } = new() { ["MCPSM_INTERACTIVE"] = "1", ["DISPLAY"] = ":0" };

    /// <summary>Runs <c>mcpsm</c>; a stand-in follows the authorization URL that it prints.</summary>
    public async Task<Ended> RunAsync(string[] arguments, string input = "", int? interruptAfterMs = null)
    {
        var native = Environment.GetEnvironmentVariable("MCPSM_TEST_EXE");
        var portable = typeof(Mcpsm).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "mcpsm").Value!;
        var start = native is null ? new ProcessStartInfo("dotnet", [portable, .. arguments]) : new ProcessStartInfo(native, arguments);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        start.StandardOutputEncoding = start.StandardErrorEncoding = Encoding.UTF8;
        foreach (var name in new[] { "CI", "BROWSER", "MCPSM_VAULT", "MCPSM_VAULT_PASSPHRASE", "MCPSM_CALLBACK_PORT" })
        {
            start.Environment.Remove(name);
        }
        start.Environment["MCP_MANAGER_CONFIG_DIR"] = Folder;
        foreach (var (name, value) in Variables)
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var error = FollowAsync(process.StandardError);
        var output = process.StandardOutput.ReadToEndAsync();
        if (interruptAfterMs is { } wait)
        {
            await Task.Delay(wait);
            using var kill = Process.Start("kill", ["-INT", process.Id.ToString()]);
            await kill.WaitForExitAsync();
        }
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
        return new Ended(process.ExitCode, await output, await error);
    }

    public Task<Ended> RunAsync(string commandLine, string input = "") => RunAsync(commandLine.Split(' '), input);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private async Task<string> FollowAsync(StreamReader error)
    {
        var all = new StringBuilder();
        while (await error.ReadLineAsync() is { } line)
        {
            all.AppendLine(line);
            if (line.StartsWith("http", StringComparison.Ordinal) && line.Contains("response_type=code") && Clicks)
            {
                using var answer = await StandInBrowser.ClickThroughAsync(new Uri(line));
            }
        }
        return all.ToString();
    }

    /// <summary>Whether somebody follows the URL.</summary>
    public bool Clicks { get; set; } = true;
}

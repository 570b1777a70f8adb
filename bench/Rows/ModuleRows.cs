using System.ComponentModel;
using System.Diagnostics;

namespace McpSm.Bench.Rows;

/// <summary>Rows for the module, measured inside pwsh without its start.</summary>
internal static class ModuleRows
{
    private const string Peer = "Microsoft.PowerShell.SecretManagement";

    public static async Task RunAsync(BenchmarkEnvironment environment, Report report)
    {
        const string work = "Import-Module Mcpsm, Get-McpAuthStatus";
        const string many = "Test-McpServer, 100 servers of 200 ms";
        if (!report.Wants(work) && !report.Wants(many))
        {
            return;
        }
        if (Missing() is { } missing)
        {
            report.Miss(work, missing);
            report.Miss(many, missing);
            return;
        }
        report.Say("Building the module …");
        await BenchmarkEnvironment.RunAsync("dotnet", "build", Path.Combine(BenchmarkEnvironment.Repository, "src", "McpSm.PowerShell"),
            "-c", "Release", "-v", "quiet");
        var module = Directory.GetFiles(Path.Combine(BenchmarkEnvironment.Repository, "out", "Mcpsm"), "Mcpsm.psd1", SearchOption.AllDirectories).Single();
        var folder = await environment.OurFolderAsync(1);
        var ours = Pwsh("Import-Module Mcpsm, status", $"Import-Module '{module}'; Get-McpAuthStatus | Out-Null", folder);
        await report.CompareAsync(work, ours, (Pwsh($"Import-Module {Peer.Split('.')[^1]}", $"Import-Module {Peer}", folder), 2));
        await report.PeakAsync(work, ours);
        await report.PeakAsync(work, Pwsh("pwsh with nothing imported", "", folder));
        await using var slow = await ManyServersRows.StartSlowAsync();
        MeasuredProgram Test(string name, int servers) =>
            Pwsh(name, $"Import-Module '{module}'; Test-McpServer | Out-Null", ManyServersRows.Folder(environment, slow, servers));
        await report.CompareAsync(many, Test("Test-McpServer", 100), (Test("the same, 1 server", 1), 5));
    }

    private static MeasuredProgram Pwsh(string name, string script, string folder) => new(name, "pwsh",
        ["-NoProfile", "-NonInteractive", "-Command", $"$watch = [Diagnostics.Stopwatch]::StartNew(); {script}; $watch.Elapsed.TotalMilliseconds"],
        new Dictionary<string, string> { ["MCPSM_CONFIG_DIR"] = folder, ["MCPSM_VAULT"] = "file", ["POWERSHELL_TELEMETRY_OPTOUT"] = "1" })
    { TellsItsTime = true };

    private static string? Missing()
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("pwsh", ["-NoProfile", "-Command", $"(Get-Module -ListAvailable {Peer}).Count"])
            {
                RedirectStandardOutput = true,
            })!;
            return process.StandardOutput.ReadToEnd().Trim() is "" or "0" ? $"the module {Peer} is missing" : null;
        }
        catch (Win32Exception)
        {
            return "pwsh is missing";
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Pester.Tests;

/// <summary>Runs the files in tests/pester in the real pwsh, each once and in a separate process.</summary>
internal static class PesterRun
{
    private static readonly TimeSpan TimeLimit = TimeSpan.FromMinutes(5);

    // Variables that would lead the session to modules or settings of the current user.
    private static readonly string[] Cleared = ["PSModulePath", "CI", "NO_COLOR", "MCPSM_CONFIG_DIR", "MCP_MANAGER_CONFIG_DIR", "MCPSM_INTERACTIVE"];

    private static readonly ConcurrentDictionary<string, Lazy<Task<PesterResult>>> Results = new();
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static IReadOnlyList<string> Files { get; } = [.. Directory.GetFiles(Path.Combine(Repository.Root, "tests", "pester"), "*.Tests.ps1").Order()];

    /// <summary>Returns the tests of all files without running them.</summary>
    public static Task<PesterResult> DiscoverAsync() => StartAsync(Files, discoverOnly: true);

    /// <summary>Returns the results of one file. The first call runs it.</summary>
    public static Task<PesterResult> ResultAsync(string file) =>
        Results.GetOrAdd(file, f => new(() => StartAsync([Files.Single(path => Path.GetFileName(path) == f)], discoverOnly: false))).Value;

    private static async Task<PesterResult> StartAsync(IReadOnlyList<string> files, bool discoverOnly)
    {
        var folder = Directory.CreateTempSubdirectory("mcpsm-pester-run-").FullName;
        try
        {
            var result = Path.Combine(folder, "result.jsonl");
            var script = Path.Combine(AppContext.BaseDirectory, "RunPester.ps1");
            var list = string.Join(',', files.Select(f => $"'{f.Replace("'", "''")}'"));
            var start = new ProcessStartInfo(RealPowerShell.Executable, ["-NoProfile", "-NonInteractive", "-Command",
                $"& '{script.Replace("'", "''")}' -Path {list} -ResultPath '{result}' -DiscoverOnly:${discoverOnly}; exit"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            foreach (var name in Cleared)
            {
                start.Environment.Remove(name);
            }
            RealPowerShell.AddTo(start.Environment);
            start.Environment["HOME"] = start.Environment["USERPROFILE"] = folder;
            // The folder of SecretManagement and SecretStore, which are not NuGet packages.
            start.Environment["PSModulePath"] = string.Join(Path.PathSeparator,
                new[] { RealPowerShell.Modules, Environment.GetEnvironmentVariable("MCPSM_TEST_PSMODULEPATH") }.OfType<string>());
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            using var limit = new CancellationTokenSource(TimeLimit);
            try
            {
                var output = process.StandardOutput.ReadToEndAsync(limit.Token);
                var error = process.StandardError.ReadToEndAsync(limit.Token);
                await process.WaitForExitAsync(limit.Token);
                Assert.True(File.Exists(result), $"Pester gave no result (exit code {process.ExitCode}).\n{await output}\n{await error}");
            }
            finally
            {
                if (!process.HasExited)
                {
                    process.Kill(entireProcessTree: true);
                }
            }
            var lines = await File.ReadAllLinesAsync(result);
            return new PesterResult([.. lines[..^1].Select(line => JsonSerializer.Deserialize<PesterTest>(line, Json)!)],
                JsonSerializer.Deserialize<Dictionary<string, string[]>>(lines[^1])!["outside"]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

using System.Diagnostics;
using Xunit;

namespace McpSm.TestServers;

/// <summary>An empty home folder for installing the packages of build/Package.proj. MCPSM_TEST_PACKAGES names their folder.</summary>
public sealed class EmptyHome : IDisposable
{
    private static readonly TimeSpan CommandTimeout = TimeSpan.FromMinutes(2);

    // Prefixes of variables that would lead a program out of this home or to other installed tools.
    private static readonly string[] RemovedPrefixes = ["MCP", "NUGET", "DOTNET_", "MSBUILD", "XDG_", "DBUS_", "PSModulePath", "CI", "TESTINGPLATFORM"];

    private EmptyHome(string packages) => Packages = Path.GetFullPath(packages);

    public string Packages { get; }

    public string Folder { get; } = Directory.CreateTempSubdirectory("mcpsm-home-").FullName;

    public Dictionary<string, string> Variables { get; } = [];

    public static EmptyHome OrSkip()
    {
        var packages = Environment.GetEnvironmentVariable("MCPSM_TEST_PACKAGES");
        Require.OrSkip(packages is not (null or ""), "MCPSM_TEST_PACKAGES does not name a folder with the output of `dotnet msbuild build/Package.proj`.");
        return new EmptyHome(packages!);
    }

    /// <summary>Runs a program that must exit with 0, and returns its output.</summary>
    public async Task<string> RunAsync(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var removed = start.Environment.Keys
            .Where(n => n != "DOTNET_ROOT" && RemovedPrefixes.Any(p => n.StartsWith(p, StringComparison.OrdinalIgnoreCase)));
        foreach (var name in removed.ToList())
        {
            start.Environment.Remove(name);
        }
        foreach (var name in new[] { "HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA" })
        {
            start.Environment[name] = Folder;
        }
        foreach (var (name, value) in Variables.Append(new("DOTNET_NOLOGO", "1")).Append(new("DOTNET_CLI_TELEMETRY_OPTOUT", "1"))
            .Append(new("DOTNET_GENERATE_ASPNET_CERTIFICATE", "false")).Append(new("POWERSHELL_TELEMETRY_OPTOUT", "1")))
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(CommandTimeout);
        try
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var error = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: exit code {process.ExitCode}\n{await output}\n{await error}");
            return await output;
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}

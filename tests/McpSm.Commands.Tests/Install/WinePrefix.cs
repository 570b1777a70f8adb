using System.Diagnostics;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;

namespace McpSm.Commands.Tests.Install;

/// <summary>A Windows installation of Wine's, made for these tests alone, and the executable for Windows that MCPSM_TEST_WINDOWS_EXE names.</summary>
public sealed class WinePrefix : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mcpsm-wine-").FullName;

    /// <summary>The native command for Windows, with a configuration folder of its own. The Credential Manager is shared by all of one prefix.</summary>
    public CliProcess CreateOrSkip()
    {
        var executable = Environment.GetEnvironmentVariable("MCPSM_TEST_WINDOWS_EXE");
        Require.OrSkip(executable is not (null or ""), "MCPSM_TEST_WINDOWS_EXE names no mcpsm.exe.");
        Require.Programs("wine");
        var mcpsm = new CliProcess { Executable = ["wine", executable!], Longest = TimeSpan.FromMinutes(3) };
        // Wine shows the file system of the machine as drive Z.
        mcpsm.Variables["MCP_MANAGER_CONFIG_DIR"] = PathInWine(mcpsm.Folder);
        foreach (var (name, value) in Variables)
        {
            mcpsm.Variables[name] = value;
        }
        return mcpsm;
    }

    public static string PathInWine(string path) => "Z:" + path.Replace('/', '\\');

    private Dictionary<string, string?> Variables => new()
    {
        ["WINEPREFIX"] = _folder,
        ["WINEDEBUG"] = "-all",
        // Neither .NET Framework nor a browser engine is offered for installation, and no debugger hides a crash.
        ["WINEDLLOVERRIDES"] = "mscoree,mshtml,winedbg.exe=",
        ["HOME"] = _folder,
        ["DISPLAY"] = null,
    };

    public void Dispose()
    {
        if (Directory.EnumerateFileSystemEntries(_folder).Any())
        {
            // Wine's server outlives the programs by a few seconds, and would go on writing in the folder.
            var stop = new ProcessStartInfo("wineserver", ["-k"]);
            foreach (var (name, value) in Variables)
            {
                stop.Environment[name] = value;
            }
            using var stopped = Process.Start(stop)!;
            stopped.WaitForExit(TimeSpan.FromSeconds(20));
        }
        Directory.Delete(_folder, recursive: true);
    }
}

using System.Diagnostics;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;

namespace McpSm.Commands.Tests.Install;

/// <summary>A Wine prefix for these tests, and the executable for Windows that MCPSM_TEST_WINDOWS_EXE names.</summary>
public sealed class WinePrefix : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mcpsm-wine-").FullName;

    /// <summary>Returns the command for Windows with a new configuration folder. All commands of one prefix share the Credential Manager.</summary>
    public CliProcess CreateOrSkip()
    {
        var executable = Environment.GetEnvironmentVariable("MCPSM_TEST_WINDOWS_EXE");
        Require.OrSkip(executable is not (null or ""), "MCPSM_TEST_WINDOWS_EXE does not name an mcpsm.exe.");
        Require.Programs("wine");
        var mcpsm = new CliProcess { Executable = ["wine", executable!], Longest = TimeSpan.FromMinutes(3) };
        // Wine maps the file system of the machine to drive Z.
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
        // Do not offer to install .NET Framework or a browser engine, and do not let a debugger hide a crash.
        ["WINEDLLOVERRIDES"] = "mscoree,mshtml,winedbg.exe=",
        ["HOME"] = _folder,
        ["DISPLAY"] = null,
    };

    public void Dispose()
    {
        if (Directory.EnumerateFileSystemEntries(_folder).Any())
        {
            // wineserver runs a few seconds longer than the programs and would still write to the folder.
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

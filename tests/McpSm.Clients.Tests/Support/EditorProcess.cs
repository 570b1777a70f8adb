using System.Diagnostics;
using System.Globalization;
using McpSm.Clients.Undo;
using McpSm.Core.Files;

namespace McpSm.Clients.Tests.Support;

/// <summary>Another process that edits a file: this test program, which an environment variable turns into an editor.</summary>
internal static class EditorProcess
{
    private const string Variable = "MCPSM_TEST_CLIENT_EDITS";

    /// <summary>Starts a process that adds servers one by one, or removes them.</summary>
    /// <param name="home">The folder.</param>
    /// <param name="names">The names of the servers. A minus before a name removes it.</param>
    /// <param name="lastStep">The process kills itself before this step, from 0; null to let it finish.</param>
    public static Process Start(ClientHome home, IEnumerable<string> names, int? lastStep = null)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardError = true, RedirectStandardOutput = true };
        var step = lastStep?.ToString(CultureInfo.InvariantCulture) ?? "";
        start.Environment[Variable] = string.Join('\n', [home.Folder, Path.GetFileName(home.FilePath), step, .. names]);
        return Process.Start(start)!;
    }

    /// <summary>Edits the file if this process was started for that.</summary>
    public static async Task<bool> RunAsync()
    {
        if (Environment.GetEnvironmentVariable(Variable)?.Split('\n') is not [var folder, var file, var lastStep, .. var names])
        {
            return false;
        }
        if (lastStep.Length > 0)
        {
            var left = int.Parse(lastStep, CultureInfo.InvariantCulture);
            AtomicFile.BeforeStep = _ =>
            {
                if (left-- == 0)
                {
                    Process.GetCurrentProcess().Kill();
                    Thread.Sleep(Timeout.Infinite);
                }
            };
        }
        // Not disposed: the test removes the folder.
        var home = ClientHome.In(folder, file);
        foreach (var name in names)
        {
            ServerEdit edit = name.StartsWith('-') ? new(name[1..], null) : new(name, ClientHome.Entry(name));
            await new ClientFileEditor(home.Environment).EditAsync(home.Document, [edit], false, default);
        }
        return true;
    }
}

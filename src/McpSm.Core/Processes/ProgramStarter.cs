using System.ComponentModel;
using System.Diagnostics;
using McpSm.Core.Configuration;

namespace McpSm.Core.Processes;

/// <summary>
/// Starts all programs: by full path and without a shell. <see cref="Process"/> would first look for a name next to our executable and in the current
/// folder.
/// </summary>
internal sealed class ProgramStarter(AppEnvironment environment)
{
    private readonly ProgramFinder _finder = new(environment);

    /// <summary>
    /// Starts a third-party program, such as a browser. It does not inherit our secrets, and its PATH does not lead to the current folder.
    /// </summary>
    /// <param name="program">A name on PATH, or a full path.</param>
    /// <param name="arguments">The arguments.</param>
    /// <param name="prepare">Sets the streams, and further environment variables.</param>
    /// <exception cref="ProgramNotStartedException">The program was not found, or the system refused to start it.</exception>
    public Process StartExternal(string program, IEnumerable<string> arguments, Action<ProcessStartInfo> prepare) =>
        Start(program, arguments, start =>
        {
            SecretEnvironmentVariables.RemoveFrom(start.Environment);
            // The program may be a script that starts other programs. An empty PATH would mean the current folder; without PATH the default folders
            // of the system are searched.
            var folders = ProgramFinder.AbsoluteFolders(start.Environment.TryGetValue("PATH", out var path) ? path : null);
            start.Environment["PATH"] = folders.Count > 0 ? string.Join(Path.PathSeparator, folders) : null;
            prepare(start);
        });

    /// <summary>Starts a program that continues our work, such as PowerShell with our module. It inherits the complete environment.</summary>
    /// <inheritdoc cref="StartExternal"/>
    public Process StartTrusted(string program, IEnumerable<string> arguments, Action<ProcessStartInfo> prepare) => Start(program, arguments, prepare);

    private Process Start(string program, IEnumerable<string> arguments, Action<ProcessStartInfo> prepare)
    {
        var argumentList = arguments.ToList();
        string? failure = null;
        foreach (var path in _finder.Find(program))
        {
            var start = new ProcessStartInfo(path, argumentList) { UseShellExecute = false };
            prepare(start);
            try
            {
                return Process.Start(start)!;
            }
            catch (Win32Exception e)
            {
                // A later folder of PATH may have an executable that we may run.
                failure ??= $"could not be started ({new Win32Exception(e.NativeErrorCode).Message})";
            }
        }
        throw new ProgramNotStartedException(failure!);
    }
}

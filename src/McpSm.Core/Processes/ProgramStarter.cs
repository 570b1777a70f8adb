using System.ComponentModel;
using System.Diagnostics;
using McpSm.Core.Configuration;

namespace McpSm.Core.Processes;

/// <summary>
/// The one place that starts programs: by a full path, without a shell. <see cref="Process"/> itself would look for a bare
/// name beside our executable and in the current folder first.
/// </summary>
public sealed class ProgramStarter(AppEnvironment environment)
{
    private readonly ProgramFinder _finder = new(environment);

    /// <summary>Starts a program of somebody else's, such as a browser. It inherits none of our secrets and no way to the current folder.</summary>
    /// <param name="program">A name on PATH, or a full path.</param>
    /// <param name="prepare">Sets the streams, and variables beyond our own.</param>
    /// <exception cref="ProgramNotStartedException">It was not found, or the system refused to start it.</exception>
    public Process StartExternal(string program, IEnumerable<string> arguments, Action<ProcessStartInfo> prepare) =>
        Start(program, arguments, start =>
        {
            SecretEnvironmentVariables.RemoveFrom(start.Environment);
            // It may be a script, which looks for others in its turn. An empty PATH would be the current folder again; without one the
            // system's own folders are searched.
            var folders = ProgramFinder.AbsoluteFolders(start.Environment.TryGetValue("PATH", out var path) ? path : null);
            start.Environment["PATH"] = folders.Count > 0 ? string.Join(Path.PathSeparator, folders) : null;
            prepare(start);
        });

    /// <summary>Starts a program that continues our work, such as PowerShell with our module. It inherits the whole environment.</summary>
    /// <inheritdoc cref="StartExternal"/>
    public Process StartTrusted(string program, IEnumerable<string> arguments, Action<ProcessStartInfo> prepare) => Start(program, arguments, prepare);

    private Process Start(string program, IEnumerable<string> arguments, Action<ProcessStartInfo> prepare)
    {
        var all = arguments.ToList();
        string? why = null;
        foreach (var path in _finder.Find(program))
        {
            var start = new ProcessStartInfo(path, all) { UseShellExecute = false };
            prepare(start);
            try
            {
                return Process.Start(start)!;
            }
            catch (Win32Exception e)
            {
                // The next folder of PATH may have one that we may execute.
                why ??= $"could not be started ({new Win32Exception(e.NativeErrorCode).Message})";
            }
        }
        throw new ProgramNotStartedException(why!);
    }
}

using McpSm.Core.Configuration;

namespace McpSm.Core.Processes;

/// <summary>
/// Finds a program's full path. Only the absolute folders of PATH are searched: a program in the current folder, or
/// beside our executable, never runs in place of the real one.
/// </summary>
public sealed class ProgramFinder(AppEnvironment environment)
{
    // A batch file is run by cmd.exe, which would read the arguments as commands.
    private static readonly string[] WindowsExtensions = [".exe", ".com"];

    private const UnixFileMode AnyoneExecutes = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>The absolute folders in a value of PATH, in order. An empty or relative entry leads to the current folder and is left out.</summary>
    public static IReadOnlyList<string> AbsoluteFolders(string? path) =>
        [.. (path ?? "").Split(Path.PathSeparator).Select(Unquoted).Where(Path.IsPathFullyQualified)];

    /// <summary>The full paths to try in turn, as execvp(3) does.</summary>
    /// <param name="program">A name without a folder, or a full path.</param>
    /// <exception cref="ProgramNotStartedException">There is no such program, or the path is relative.</exception>
    public IReadOnlyList<string> Find(string program)
    {
        if (Path.IsPathFullyQualified(program))
        {
            return Spellings(program).Where(IsExecutable).ToList() is { Count: > 0 } paths ? paths
                : throw new ProgramNotStartedException(File.Exists(program) ? "is not an executable file" : "does not exist");
        }
        if (program.AsSpan().ContainsAny(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar, Path.VolumeSeparatorChar))
        {
            throw new ProgramNotStartedException("is a relative path, and only a name on PATH or a full path is started");
        }
        var found = AbsoluteFolders(environment.Variable("PATH")).SelectMany(folder => Spellings(Path.Combine(folder, program))).Where(IsExecutable).ToList();
        return found.Count > 0 ? found : throw new ProgramNotStartedException("was not found in an absolute folder of PATH");
    }

    private static string Unquoted(string folder) => OperatingSystem.IsWindows() ? folder.Trim('"') : folder;

    private static IEnumerable<string> Spellings(string path) => OperatingSystem.IsWindows()
        && !WindowsExtensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase)
        ? WindowsExtensions.Select(extension => path + extension) : [path];

    // On Windows by name alone: a program of the Store is an app execution alias, which is empty and can only be started.
    private static bool IsExecutable(string path)
    {
        try
        {
            return File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & AnyoneExecutes) != 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was removed meanwhile, or we may not look at it: then we cannot start it either.
            return false;
        }
    }
}

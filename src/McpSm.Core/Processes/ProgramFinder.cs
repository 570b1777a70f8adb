using McpSm.Core.Configuration;

namespace McpSm.Core.Processes;

/// <summary>
/// Finds the full path of a program. Searches only the absolute folders of PATH, so that a program in the current folder or next to our executable
/// never runs instead.
/// </summary>
internal sealed class ProgramFinder(AppEnvironment environment)
{
    // Batch files are excluded: cmd.exe would interpret their arguments as commands.
    private static readonly string[] WindowsExtensions = [".exe", ".com"];

    private const UnixFileMode AnyExecute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Returns the absolute folders of a PATH value in order. Skips empty and relative entries, which refer to the current folder.</summary>
    public static IReadOnlyList<string> AbsoluteFolders(string? path) =>
        [.. (path ?? "").Split(Path.PathSeparator).Select(Unquoted).Where(Path.IsPathFullyQualified)];

    /// <summary>Returns the full paths to try in order, as execvp(3) does.</summary>
    /// <param name="program">A name without a folder, or a full path.</param>
    /// <exception cref="ProgramNotStartedException">The program does not exist, or the path is relative.</exception>
    public IReadOnlyList<string> Find(string program)
    {
        if (Path.IsPathFullyQualified(program))
        {
            return Spellings(program).Where(IsExecutable).ToList() is { Count: > 0 } executables ? executables
                : throw new ProgramNotStartedException(File.Exists(program) ? "is not an executable file" : "does not exist");
        }
        if (program.AsSpan().ContainsAny(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar, Path.VolumeSeparatorChar))
        {
            throw new ProgramNotStartedException("is a relative path; use a name on PATH or a full path");
        }
        var paths = AbsoluteFolders(environment.Variable("PATH")).SelectMany(folder => Spellings(Path.Combine(folder, program))).Where(IsExecutable).ToList();
        return paths.Count > 0 ? paths : throw new ProgramNotStartedException("was not found in an absolute folder of PATH");
    }

    private static string Unquoted(string folder) => OperatingSystem.IsWindows() ? folder.Trim('"') : folder;

    private static IEnumerable<string> Spellings(string path) => OperatingSystem.IsWindows()
        && !WindowsExtensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase)
        ? WindowsExtensions.Select(extension => path + extension) : [path];

    // Windows checks only the name: a Store app has an app execution alias, which is an empty file that can only be started.
    private static bool IsExecutable(string path)
    {
        try
        {
            return File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & AnyExecute) != UnixFileMode.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The file was removed, or we may not access it: then we cannot start it either.
            return false;
        }
    }
}

using McpSm.Clients.Management;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;

namespace McpSm.Commands.Clients;

/// <summary>Finds the executable <c>mcpsm</c> that an MCP client is to start.</summary>
internal static class RelayExecutable
{
    /// <summary>
    /// Returns the executable: the one that runs, or the first one in PATH. If both are the same file, the path in PATH wins, because it often is a
    /// link that stays valid after an update.
    /// </summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: there is no executable, only the PowerShell module.</exception>
    public static RelayProgram Find(AppEnvironment environment)
    {
        var running = Environment.ProcessPath is { } path
            && Path.GetFileNameWithoutExtension(path).Equals("mcpsm", StringComparison.OrdinalIgnoreCase) ? path : null;
        var inPath = (environment.Variable("PATH") ?? "").Split(Path.PathSeparator).Where(Path.IsPathFullyQualified)
            .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? "mcpsm.exe" : "mcpsm")).FirstOrDefault(File.Exists);
        var command = running is null || (inPath is not null && RealPath(inPath) == RealPath(running)) ? inPath : running;
        return command is not null ? new RelayProgram(command, [], environment.Variable) : throw new McpAuthException(ErrorReason.ConfigurationUnavailable,
            "The executable 'mcpsm' was not found. An MCP client starts it, so the PowerShell module alone is not enough.",
            "Install the executable in a folder of PATH, then run the command again.");
    }

    private static string RealPath(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? Path.GetFullPath(path);
}

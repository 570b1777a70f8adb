using McpSm.Commands.PowerShell;

namespace McpSm.Commands.Proxy;

/// <summary>How to start <c>mcpsm</c> again as it was started.</summary>
/// <param name="Path">The full path of the program.</param>
/// <param name="Arguments">The arguments before those of <c>mcpsm</c>.</param>
/// <param name="Variables">Variables for the new process.</param>
public sealed record OwnProgram(string Path, IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Variables)
{
    private static readonly Dictionary<string, string> None = [];

    /// <summary>The executable of this process.</summary>
    public static OwnProgram Executable()
    {
        var path = Environment.ProcessPath!;
        // "dotnet mcpsm.dll"
        return System.IO.Path.GetFileNameWithoutExtension(path) == "dotnet" ? new(path, [System.IO.Path.GetFullPath(Environment.GetCommandLineArgs()[0])], None)
            : new(path, [], None);
    }

    /// <summary>The PowerShell of this process, with the module.</summary>
    /// <param name="manifest">The full path of <c>Mcpsm.psd1</c>.</param>
    public static OwnProgram PowerShell(string manifest) => new(Environment.ProcessPath!,
        ["-NoProfile", "-NoLogo", "-NonInteractive", "-CommandWithArgs",
            $"Import-Module '{manifest.Replace("'", "''", StringComparison.Ordinal)}' -ErrorAction Stop; Invoke-Mcpsm @args; exit $LASTEXITCODE"],
        new Dictionary<string, string> { [PowerShellDelegation.Variable] = "1" });
}

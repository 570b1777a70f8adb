using System.Reflection;
using System.Runtime.InteropServices;
using Xunit;

namespace McpSm.TestServers;

/// <summary>The real pwsh and Pester, which the restore of the project downloads as NuGet packages.</summary>
public static class RealPowerShell
{
    private static readonly Lazy<string> BinFolder = new(FindBinFolder);
    private static readonly Lazy<string> ModuleFolder = new(LayOutPester);

    /// <summary>The folder with a <c>pwsh</c> that starts on this machine. It forwards signals; the shim of the .NET tool does not.</summary>
    public static string Folder => BinFolder.Value;

    public static string Executable => Path.Combine(Folder, OperatingSystem.IsWindows() ? "pwsh.exe" : "pwsh");

    /// <summary>A folder for PSModulePath that holds Pester.</summary>
    public static string Modules => ModuleFolder.Value;

    /// <summary>Puts this pwsh first on PATH, and sets DOTNET_ROOT to the runtime of these tests.</summary>
    public static void AddTo(IDictionary<string, string?> environment)
    {
        environment["PATH"] = Folder + Path.PathSeparator + environment.GetOrDefault("PATH");
        environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        environment["POWERSHELL_TELEMETRY_OPTOUT"] = "1";
        environment["POWERSHELL_UPDATECHECK"] = "Off";
    }

    private static string? GetOrDefault(this IDictionary<string, string?> environment, string name) =>
        environment.TryGetValue(name, out var value) ? value : Environment.GetEnvironmentVariable(name);

    private static string Metadata(string key) => typeof(RealPowerShell).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == key).Value!;

    private static string FindBinFolder()
    {
        var package = Path.Combine(Metadata("pwsh"), OperatingSystem.IsWindows() ? "win" : "unix");
        if (RuntimeInformation.ProcessArchitecture == Architecture.X64 && !OperatingSystem.IsMacOS())
        {
            return package;
        }
        // The package has executables for linux-x64 and win-x64. On other systems `dotnet` runs the same assembly.
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("The package PowerShell has no executable for Windows on this processor.");
            return package;
        }
        var folder = Path.Combine(AppContext.BaseDirectory, "pwsh-bin");
        Directory.CreateDirectory(folder);
        var script = Path.Combine(folder, "pwsh");
        File.WriteAllText(script, $"#!/bin/sh\nexec dotnet '{Path.Combine(package, "pwsh.dll")}' \"$@\"\n");
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return folder;
    }

    /// <summary>Copies Pester to a module folder: a folder of its name with a folder of its version.</summary>
    private static string LayOutPester()
    {
        var tools = new DirectoryInfo(Metadata("pester"));
        var modules = Path.Combine(AppContext.BaseDirectory, "modules");
        var target = Path.Combine(modules, "Pester", tools.Parent!.Name);
        foreach (var file in tools.EnumerateFiles("*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(tools.FullName, file.FullName));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            if (!File.Exists(copy))
            {
                file.CopyTo(copy);
            }
        }
        return modules;
    }
}

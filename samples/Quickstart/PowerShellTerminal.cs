using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace McpSm.Samples.Quickstart;

/// <summary>Runs commands of the module in the real pwsh, which the restore downloads, and shows what a user sees.</summary>
internal sealed class PowerShellTerminal(string folder)
{
    // The first argument is the module, the others are the lines that a user types.
    private const string Script = """
        if ([Console]::IsOutputRedirected) { $PSStyle.OutputRendering = 'PlainText' }
        Import-Module $args[0]
        foreach ($line in $args | Select-Object -Skip 1) {
            ''
            "PS> $line"
            . ([scriptblock]::Create($line)) | Out-Default
            if ($Error.Count) { exit 1 }
        }
        """;

    public static string Module { get; } = Metadata("module");

    /// <summary>Runs the lines in one session until one fails. Returns false if one failed.</summary>
    public async Task<bool> RunAsync(IEnumerable<string> lines)
    {
        var start = Start(["-NoProfile", "-NoLogo", "-CommandWithArgs", Script, Module, .. lines]);
        start.RedirectStandardInput = true;
        start.Environment["DOTNET_ROOT"] = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        start.Environment["POWERSHELL_TELEMETRY_OPTOUT"] = "1";
        start.Environment["POWERSHELL_UPDATECHECK"] = "Off";
        start.Environment["MCP_MANAGER_CONFIG_DIR"] = folder;
        start.Environment["MCPSM_INTERACTIVE"] = "1";
        start.Environment["BROWSER"] = $"\"{Environment.ProcessPath}\" --browse %s";
        // Keeps this run out of the user's vault.
        start.Environment["MCPSM_VAULT"] = "file";
        start.Environment.Remove("MCPSM_VAULT_PASSPHRASE");
        start.Environment.Remove("MCPSM_CALLBACK_PORT");
        // Ignores an installed SecretManagement, and keeps the caches of the shell in the temporary folder.
        start.Environment["PSModulePath"] = start.Environment["HOME"] = start.Environment["USERPROFILE"] = folder;
        using var shell = Process.Start(start)!;
        shell.StandardInput.Close();
        await shell.WaitForExitAsync();
        return shell.ExitCode == 0;
    }

    /// <summary>Returns the command for pwsh. The package has executables for x64 on Linux and Windows; on other systems `dotnet` runs the assembly.</summary>
    private static ProcessStartInfo Start(IEnumerable<string> arguments)
    {
        var package = Path.Combine(Metadata("pwsh"), OperatingSystem.IsWindows() ? "win" : "unix");
        return RuntimeInformation.ProcessArchitecture == Architecture.X64 && !OperatingSystem.IsMacOS()
            ? new ProcessStartInfo(Path.Combine(package, OperatingSystem.IsWindows() ? "pwsh.exe" : "pwsh"), arguments)
            : new ProcessStartInfo("dotnet", [Path.Combine(package, "pwsh.dll"), .. arguments]);
    }

    private static string Metadata(string key) => Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == key).Value!;
}

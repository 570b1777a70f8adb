using System.Runtime.CompilerServices;

namespace McpSm.PowerShell.Tests.Module;

/// <summary>The engine would tell its makers of each start, and keep a file in the home folder for that.</summary>
internal static class NoTelemetry
{
    [ModuleInitializer]
    public static void OptOut() => Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
}

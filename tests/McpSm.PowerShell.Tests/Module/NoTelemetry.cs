using System.Runtime.CompilerServices;

namespace McpSm.PowerShell.Tests.Module;

/// <summary>Turns the telemetry of PowerShell off. It would send data at each start and write a file to the home folder.</summary>
internal static class NoTelemetry
{
    [ModuleInitializer]
    public static void OptOut() => Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
}

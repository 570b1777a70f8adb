using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace McpSm.Cli;

/// <summary>
/// Handles SIGXFSZ, which the system sends if a file would exceed the size limit (<c>ulimit -f</c>), so that the write fails with
/// an error instead of ending the process. A handler is used because child processes would inherit an ignored signal.
/// </summary>
internal static class FileSizeSignal
{
    // SIGXFSZ on Linux and macOS.
    private const PosixSignal FileSizeLimit = (PosixSignal)25;

    // Never disposed. The runtime handles signals asynchronously: if the registration were gone by then, the signal would still end
    // the process.
    [SuppressMessage("CodeQuality", "IDE0052", Justification = "The field keeps the registration alive.")]
    private static PosixSignalRegistration? s_registration;

    public static void Handle() =>
        s_registration = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(FileSizeLimit, context => context.Cancel = true);
}

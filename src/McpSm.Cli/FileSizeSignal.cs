using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace McpSm.Cli;

/// <summary>
/// SIGXFSZ comes when a file would grow beyond what the process may write (<c>ulimit -f</c>), and ends a process that does not
/// handle it. Handled, the write fails, and that is told as any other failed write is. It is not ignored: the programs that we
/// start would inherit that.
/// </summary>
internal static class FileSizeSignal
{
    /// <summary>The same number on Linux and macOS.</summary>
    private const PosixSignal FileSizeLimit = (PosixSignal)25;

    // Held until the process ends. The runtime handles a signal a moment after it comes: with the registration gone by then, the
    // signal would end the process after all.
    [SuppressMessage("CodeQuality", "IDE0052", Justification = "The field keeps the registration alive.")]
    private static PosixSignalRegistration? s_registration;

    public static void Handle() =>
        s_registration = OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(FileSizeLimit, context => context.Cancel = true);
}

using System.Runtime.InteropServices;

namespace McpSm.Core.Processes;

/// <summary>The session of this process (setsid(2)).</summary>
internal static partial class ProcessSession
{
    /// <summary>
    /// Begins a session of its own, so that no signal for the terminal or the process group of the parent ends this process. Does nothing on Windows,
    /// where the parent starts a new process group, and if this process leads a group.
    /// </summary>
    public static void Begin()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SetSessionId();
        }
    }

    [LibraryImport("libc", EntryPoint = "setsid")]
    private static partial int SetSessionId();
}

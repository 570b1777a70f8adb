using System.Runtime.InteropServices;

namespace McpSm.Cli;

/// <summary>
/// Keeps the memory of this process, which has tokens and the key of the vault, out of core dumps, and stops other processes of
/// the same user from attaching a debugger. Debug builds do not use it, so that developers can debug.
/// </summary>
/// <remarks>
/// A program that this process starts can be dumped again (prctl(2)). Dumps by the .NET runtime itself are off, unless the user
/// turns them on with DOTNET_DbgEnableMiniDump.
/// </remarks>
internal static partial class CoreDumps
{
    // PR_SET_DUMPABLE and RLIMIT_CORE.
    private const int SetDumpable = 4;
    private const int CoreSize = 4;

    public static void Disable()
    {
        if (OperatingSystem.IsLinux())
        {
            // This call cannot fail: the option and its value are valid.
            _ = Prctl(SetDumpable, 0, 0, 0, 0);
        }
        else if (OperatingSystem.IsMacOS() && GetLimit(CoreSize, out var limit) == 0)
        {
            // Only the soft limit changes: programs that this process starts inherit both, and may raise the soft one again.
            _ = SetLimit(CoreSize, limit with { Soft = 0 });
        }
    }

    private readonly record struct Limit(ulong Soft, ulong Hard);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Prctl(int option, nuint value, nuint unused3, nuint unused4, nuint unused5);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);
}

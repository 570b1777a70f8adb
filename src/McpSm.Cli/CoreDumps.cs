using System.Runtime.InteropServices;

namespace McpSm.Cli;

/// <summary>
/// Keeps the memory of this process, which holds tokens and the vault's key, out of core dumps and away from debuggers of other
/// processes of the same user. Only the released executable does so: who develops wants to see inside.
/// </summary>
/// <remarks>
/// A program that we start is dumpable again (prctl(2)). A dump that the .NET runtime is told to write itself, with
/// DOTNET_DbgEnableMiniDump, is the user's own choice, and not prevented.
/// </remarks>
internal static partial class CoreDumps
{
    private const int SetDumpable = 4;
    private const int CoreSize = 4;

    public static void Disable()
    {
        if (OperatingSystem.IsLinux())
        {
            // It fails for no reason that this call can have.
            _ = Prctl(SetDumpable, 0, 0, 0, 0);
        }
        else if (OperatingSystem.IsMacOS() && GetLimit(CoreSize, out var limit) == 0)
        {
            // The hard limit stays: what we start inherits this, and may raise it again.
            _ = SetLimit(CoreSize, limit with { Now = 0 });
        }
    }

    private readonly record struct Limit(ulong Now, ulong Most);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int Prctl(int option, nuint value, nuint unused3, nuint unused4, nuint unused5);

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);
}

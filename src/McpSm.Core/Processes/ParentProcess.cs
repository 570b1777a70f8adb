using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using McpSm.Core.Files;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Core.Processes;

/// <summary>The process that started this one.</summary>
internal static partial class ParentProcess
{
    // ProcessBasicInformation of NtQueryInformationProcess, and the place of InheritedFromUniqueProcessId in its result.
    private const int BasicInformation = 0;
    private const int ParentField = 5;

    /// <summary>The id of the parent. It changes when the parent ends, because another process then adopts this one.</summary>
    [UnsupportedOSPlatform("windows")]
    public static int Id => GetParentId();

    /// <summary>Whether standard input is a pipe or a socket, which is how a program that starts servers connects them.</summary>
    [UnsupportedOSPlatform("windows")]
    public static bool IsInputPipe
    {
        get
        {
            using var input = new SafeFileHandle(0, ownsHandle: false);
            try
            {
                return UnixFile.Status(input).Kind is FileKind.Pipe or FileKind.Socket;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // A standard input without a status is not a pipe of a client.
                return false;
            }
        }
    }

    /// <summary>Opens the parent, to wait for its end.</summary>
    /// <returns>The process; null if it has ended or cannot be opened.</returns>
    [SupportedOSPlatform("windows")]
    public static Process? Open()
    {
        using var current = Process.GetCurrentProcess();
        var information = new nint[6];
        if (QueryInformation(current.SafeHandle, BasicInformation, information, information.Length * nint.Size, out _) != 0)
        {
            return null;
        }
        try
        {
            var parent = Process.GetProcessById((int)information[ParentField]);
            if (parent.StartTime <= current.StartTime)
            {
                return parent;
            }
            // Windows has given the id to another process.
            parent.Dispose();
        }
        catch (Exception e) when (e is ArgumentException or Win32Exception or InvalidOperationException)
        {
            // The parent has ended, or belongs to another user.
        }
        return null;
    }

    [LibraryImport("libc", EntryPoint = "getppid")]
    private static partial int GetParentId();

    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    [LibraryImport("ntdll", EntryPoint = "NtQueryInformationProcess")]
    private static partial int QueryInformation(SafeProcessHandle process, int kind, [Out] nint[] information, int length, out int returned);
}

using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using McpSm.Core.Errors;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Core.Files;

/// <summary>
/// File operations on Unix that .NET lacks: opening a possible pipe without waiting for its other end, opening without following links, and reading
/// the owner.
/// </summary>
[UnsupportedOSPlatform("windows")]
internal static partial class UnixFile
{
    public const int NotFound = 2;
    public const int NoDevice = 6;
    public const int AccessDenied = 13;
    public const int NotFolder = 20;

    // From <fcntl.h>. The values are the same on x64 and Arm64.
    private static readonly int NonBlocking = OperatingSystem.IsMacOS() ? 0x4 : 0x800;
    private static readonly int CloseOnExec = OperatingSystem.IsMacOS() ? 0x100_0000 : 0x8_0000;
    private static readonly int NotMyTerminal = OperatingSystem.IsMacOS() ? 0x2_0000 : 0x100;

    // Constants of the platform abstraction layer (PAL) of the runtime, which are the same on all systems.
    private const int PalReadWrite = 0x2;
    private const int PalCloseOnExec = 0x10;
    private const int PalCreate = 0x20;
    private const int PalNoFollow = 0x200;

    private static readonly int WouldBlock = OperatingSystem.IsMacOS() ? 35 : 11;
    private const int Interrupted = 4;

    /// <summary>Opens a file for reading. Does not wait for the writer of a pipe.</summary>
    /// <exception cref="IOException">The file cannot be opened. Also FileNotFoundException, UnauthorizedAccessException.</exception>
    public static SafeFileHandle OpenToRead(string path)
    {
        int descriptor;
        while ((descriptor = Open(path, NonBlocking | CloseOnExec | NotMyTerminal)) < 0)
        {
            if (Marshal.GetLastPInvokeError() is var error && error != Interrupted)
            {
                throw Failed(error, path);
            }
        }
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    /// <summary>Opens a file for locking, and creates it with mode 0600 if necessary. Does not follow a link.</summary>
    /// <exception cref="IOException">The file cannot be opened. Also UnauthorizedAccessException.</exception>
    public static SafeFileHandle OpenToLock(string path)
    {
        var descriptor = PalOpen(path, PalReadWrite | PalCloseOnExec | PalCreate | PalNoFollow, 0b110_000_000);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failed(Marshal.GetLastPInvokeError(), path);
    }

    /// <summary>Opens a folder. Does not follow a link.</summary>
    /// <exception cref="IOException">The folder cannot be opened. Also UnauthorizedAccessException.</exception>
    public static SafeFileHandle OpenFolder(string path)
    {
        var descriptor = PalOpen(path, PalCloseOnExec | PalNoFollow, 0);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw Failed(Marshal.GetLastPInvokeError(), path);
    }

    /// <summary>Returns the status of an open file.</summary>
    /// <exception cref="IOException">The status cannot be read.</exception>
    public static FileStatus Status(SafeFileHandle handle) =>
        PalFStat(handle, out var status) == 0 ? Of(status) : throw Failed(Marshal.GetLastPInvokeError(), null);

    /// <summary>Returns the status of a file and follows links; null if the file does not exist or is not accessible.</summary>
    public static FileStatus? Status(string path) => PalStat(path, out var status) == 0 ? Of(status) : null;

    /// <summary>Returns the status of the path itself, which may be a link; null if it does not exist or is not accessible.</summary>
    public static FileStatus? StatusOfLink(string path) => PalLStat(path, out var status) == 0 ? Of(status) : null;

    /// <summary>Reads the available bytes. Waits for at most 50 ms.</summary>
    /// <param name="handle">The file.</param>
    /// <param name="into">The buffer.</param>
    /// <returns>The number of bytes; 0 at the end; null if no bytes are available yet.</returns>
    /// <exception cref="IOException">The read failed.</exception>
    public static int? Read(SafeFileHandle handle, Span<byte> into)
    {
        var poll = new PollEvent { Descriptor = (int)handle.DangerousGetHandle(), Events = PollEvent.Readable };
        if (Poll(ref poll, 1, 50) <= 0)
        {
            return null;
        }
        var read = PalRead(handle, into, into.Length);
        if (read < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            return error == WouldBlock || error == Interrupted ? null : throw Failed(error, null);
        }
        // A pipe without a writer looks like the end of the file, but does not have the hang-up flag.
        return read > 0 || (poll.Happened & PollEvent.HungUp) != 0 || Status(handle).Kind != FileKind.Pipe ? read : null;
    }

    /// <summary>The effective user of this process.</summary>
    public static uint User => PalGetUser();

    public static bool TryLock(SafeFileHandle handle, out int error)
    {
        const int exclusive = 2, nonBlocking = 4;
        var locked = PalFLock(handle, exclusive | nonBlocking) == 0;
        error = locked ? 0 : Marshal.GetLastPInvokeError();
        return locked;
    }

    public static bool IsHeld(int error) => error == WouldBlock;

    /// <summary>Changes the owner and group of an open file. Only root can do this.</summary>
    /// <exception cref="IOException">The change failed. Also UnauthorizedAccessException.</exception>
    public static void Give(SafeFileHandle handle, uint owner, uint group)
    {
        if (FChown(handle, owner, group) != 0)
        {
            throw Failed(Marshal.GetLastPInvokeError(), null);
        }
    }

    private static Exception Failed(int error, string? path)
    {
        var text = UntrustedText.Sanitize(Marshal.GetPInvokeErrorMessage(error));
        return error switch
        {
            NotFound => new FileNotFoundException(text, path),
            NotFolder => new DirectoryNotFoundException(text),
            AccessDenied or 1 => new UnauthorizedAccessException(text),
            _ => new IOException(text, error),
        };
    }

    private static FileStatus Of(in NativeFacts status) => new((status.Mode & 0xF000) switch
    {
        0x8000 => FileKind.Regular,
        0x4000 => FileKind.Folder,
        0x1000 => FileKind.Pipe,
        0xC000 => FileKind.Socket,
        0x2000 or 0x6000 => FileKind.Device,
        0xA000 => FileKind.Link,
        _ => FileKind.Other,
    }, (UnixFileMode)(status.Mode & 0xFFF), status.Owner, status.Group, status.Size);

    /// <summary>The start of the runtime's FileStatus structure, with room for all further fields of any version.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 512)]
    private struct NativeFacts
    {
        public int Flags;
        public int Mode;
        public uint Owner;
        public uint Group;
        public long Size;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEvent
    {
        public const short Readable = 1;
        public const short HungUp = 0x10;

        public int Descriptor;
        public short Events;
        public short Happened;
    }

    // Without O_CREAT, open does not use its variable argument.
    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollEvent events, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    private static partial int FChown(SafeFileHandle handle, uint owner, uint group);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Open", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial nint PalOpen(string path, int flags, int mode);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_FStat", SetLastError = true)]
    private static partial int PalFStat(SafeFileHandle handle, out NativeFacts status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Stat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int PalStat(string path, out NativeFacts status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_LStat", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int PalLStat(string path, out NativeFacts status);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_Read", SetLastError = true)]
    private static partial int PalRead(SafeFileHandle handle, Span<byte> buffer, int count);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_FLock", SetLastError = true)]
    private static partial int PalFLock(SafeFileHandle handle, int operation);

    [LibraryImport("libSystem.Native", EntryPoint = "SystemNative_GetEUid")]
    private static partial uint PalGetUser();
}

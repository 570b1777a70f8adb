using McpSm.Core.Errors;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Core.Files;

/// <summary>
/// Reads files of the configuration folder and of the npm tool. They are regular files of at most 64 MB: a pipe in the place of one
/// would keep us waiting, a device would have no end.
/// </summary>
internal static class BoundedFile
{
    /// <summary>Room for more than 200,000 servers.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    /// <exception cref="McpAuthException">ConfigurationUnavailable: it is something else than a file. ConfigurationCorrupt: it is too large.</exception>
    /// <exception cref="IOException">And UnauthorizedAccessException.</exception>
    public static byte[] Read(string path)
    {
        using var handle = Open(path);
        var length = RandomAccess.GetLength(handle);
        if (length > MaxBytes)
        {
            throw TooLarge(path);
        }
        // Files that the system makes as they are read, as in /proc, have no length.
        var content = new byte[length == 0 ? 4096 : length];
        var read = 0;
        while (true)
        {
            var more = RandomAccess.Read(handle, content.AsSpan(read), read);
            read += more;
            if (more == 0 || (read == content.Length && length > 0))
            {
                return read == content.Length ? content : content[..read];
            }
            if (read > MaxBytes)
            {
                throw TooLarge(path);
            }
            if (read == content.Length)
            {
                Array.Resize(ref content, content.Length * 2);
            }
        }
    }

    private static SafeFileHandle Open(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            // A reader must keep a writer out for as short a time as Windows allows.
            return File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        }
        SafeFileHandle handle;
        try
        {
            handle = UnixFile.OpenToRead(path);
        }
        catch (IOException e) when (e.HResult == UnixFile.NoDevice && UnixFile.Status(path) is { Kind: not FileKind.Regular } status)
        {
            throw NotAFile(path, status);
        }
        try
        {
            return UnixFile.Status(handle) is var found && found.Kind == FileKind.Regular ? handle : throw NotAFile(path, found);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    internal static McpAuthException NotAFile(string path, FileStatus status) => new(ErrorReason.ConfigurationUnavailable,
        $"Cannot use '{path}': it is {status.Word}, and must be a file.", "Move it away, and put the file in its place if you have it.");

    private static McpAuthException TooLarge(string path) => JsonFile.Corrupt(path, "it is larger than 64 MB");
}

using McpSm.Core.Errors;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Core.Files;

/// <summary>
/// Reads files of the configuration folder and of the npm tool. They must be regular files of at most 64 MB: reading a pipe would block, and a device
/// may be endless.
/// </summary>
internal static class BoundedFile
{
    /// <summary>Enough for more than 200,000 servers.</summary>
    public const int MaxBytes = 64 * 1024 * 1024;

    /// <summary>Reads the file.</summary>
    /// <exception cref="McpAuthException">
    /// ConfigurationUnavailable: the path is not a regular file. ConfigurationCorrupt: the file is too large.
    /// </exception>
    /// <exception cref="IOException">The file cannot be read. Also UnauthorizedAccessException.</exception>
    public static byte[] Read(string path)
    {
        using var handle = Open(path);
        var length = RandomAccess.GetLength(handle);
        if (length > MaxBytes)
        {
            throw TooLarge(path);
        }
        // Virtual files, as in /proc, have no length.
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
            // Allow all sharing, so that this reader blocks a writer as briefly as possible.
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
            return UnixFile.Status(handle) is var status && status.Kind == FileKind.Regular ? handle : throw NotAFile(path, status);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    internal static McpAuthException NotAFile(string path, FileStatus status) => new(ErrorReason.ConfigurationUnavailable,
        $"Cannot use '{path}': it is {status.Word}, not a file.", "Move it away, and restore the file if you have it.");

    private static McpAuthException TooLarge(string path) => JsonFile.Corrupt(path, "it is larger than 64 MB");
}

using McpSm.Core.Errors;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Core.Files;

/// <summary>
/// Reads a file that the user names: a key, an assertion. It may be a pipe, as <c>&lt;(…)</c> of a shell is; then the read waits for
/// its writer, and ends when it is cancelled.
/// </summary>
internal static class UserFile
{
    /// <param name="most">The largest that is taken, in bytes, a multiple of 1024.</param>
    /// <param name="unusable">Makes the error of why it cannot be used, a clause without a full stop.</param>
    /// <exception cref="McpAuthException">What <paramref name="unusable"/> makes.</exception>
    public static byte[] Read(string path, int most, Func<string, McpAuthException> unusable, CancellationToken cancellationToken)
    {
        try
        {
            using var handle = Open(path, unusable);
            var content = new byte[most + 1];
            var read = 0;
            while (read <= most)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (Read(handle, content.AsSpan(read), read) is not { } more)
                {
                    // A pipe that waits for its writer; to ask again at once would keep a processor busy.
                    cancellationToken.WaitHandle.WaitOne(5);
                    continue;
                }
                if (more == 0)
                {
                    return content[..read];
                }
                read += more;
            }
            throw unusable($"it is larger than {most / 1024} KiB");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw unusable(e is FileNotFoundException or DirectoryNotFoundException ? "there is none of that name"
                : e is UnauthorizedAccessException ? "access is denied" : "it cannot be read");
        }
    }

    /// <summary>The path for a message; null if it seems to be what should stand in the file.</summary>
    public static string? Name(string path) => path.Any(char.IsControl) || path.Contains("-----BEGIN", StringComparison.Ordinal)
        || Path.GetFileName(path).StartsWith("eyJ", StringComparison.Ordinal) ? null : UntrustedText.Sanitize(path);

    private static SafeFileHandle Open(string path, Func<string, McpAuthException> unusable)
    {
        if (OperatingSystem.IsWindows())
        {
            return Directory.Exists(path) ? throw unusable("it is a folder")
                : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        }
        var handle = UnixFile.OpenToRead(path);
        if (UnixFile.Status(handle) is { Kind: FileKind.Folder or FileKind.Socket or FileKind.Other } status)
        {
            handle.Dispose();
            throw unusable($"it is {status.Word}");
        }
        return handle;
    }

    private static int? Read(SafeFileHandle handle, Span<byte> into, long offset) =>
        OperatingSystem.IsWindows() ? RandomAccess.Read(handle, into, offset) : UnixFile.Read(handle, into);
}

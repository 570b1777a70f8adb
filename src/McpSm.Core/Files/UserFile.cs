using McpSm.Core.Errors;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Core.Files;

/// <summary>
/// Reads a file that the user names, such as a key or an assertion. The file may be a pipe, as in the shell's <c>&lt;(…)</c>: the read then waits for
/// the writer and can be cancelled.
/// </summary>
internal static class UserFile
{
    /// <summary>Reads the file.</summary>
    /// <param name="path">The path.</param>
    /// <param name="maxBytes">The maximum size in bytes, a multiple of 1024.</param>
    /// <param name="unusable">Creates the error from a clause such as "it is a folder", without a period.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <exception cref="McpAuthException">What <paramref name="unusable"/> makes.</exception>
    public static byte[] Read(string path, int maxBytes, Func<string, McpAuthException> unusable, CancellationToken cancellationToken)
    {
        try
        {
            using var handle = Open(path, unusable);
            var content = new byte[maxBytes + 1];
            var read = 0;
            while (read <= maxBytes)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (Read(handle, content.AsSpan(read), read) is not { } more)
                {
                    // The pipe has no data yet. Wait briefly instead of using a processor.
                    cancellationToken.WaitHandle.WaitOne(5);
                    continue;
                }
                if (more == 0)
                {
                    return content[..read];
                }
                read += more;
            }
            throw unusable($"it is larger than {maxBytes / 1024} KiB");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw unusable(e is FileNotFoundException or DirectoryNotFoundException ? "it does not exist"
                : e is UnauthorizedAccessException ? "access is denied" : "it cannot be read");
        }
    }

    /// <summary>Returns the path for a message; null if it looks like the content of the file instead.</summary>
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

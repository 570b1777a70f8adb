using System.Diagnostics;
using McpSm.Core.Errors;

namespace McpSm.Core.Files;

/// <summary>
/// A lock that holds across processes and threads: a file opened without sharing. The system frees it when its
/// holder ends, however it ends; the file itself stays and means nothing.
/// </summary>
public sealed class FileLock : IDisposable
{
    /// <summary>How long to wait for a lock before giving up.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly FileStream _stream;

    private FileLock(FileStream stream) => _stream = stream;

    /// <summary>Takes the lock, waiting for its holder at most <see cref="Limit"/>.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: no permission, or the holder kept it.</exception>
    public static async Task<FileLock> AcquireAsync(string path, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryAcquire(path) is { } held)
            {
                return held;
            }
            if (Stopwatch.GetElapsedTime(started) > Limit)
            {
                throw new McpAuthException(ErrorReason.ConfigurationUnavailable,
                    $"Another process has held '{path}' for {Limit.TotalSeconds:0} seconds.",
                    "End the process that holds it, then run the command again.");
            }
            // Jitter, so that many waiters do not knock in step and starve one another.
            await Task.Delay(Random.Shared.Next(5, 21), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the lock where nobody has it; null where somebody does.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    public static FileLock? TryAcquire(string path)
    {
        try
        {
            WholeFile.EnsureFolder(Path.GetDirectoryName(path)!);
            var options = new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                BufferSize = 0,
            };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }
            return new FileLock(new FileStream(path, options));
        }
        catch (IOException e) when (IsHeld(e))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw WholeFile.Unavailable("lock", path, e);
        }
    }

    /// <summary>Sharing violation: 0x80070020 on Windows; EWOULDBLOCK of flock on Linux (11) and macOS (35).</summary>
    private static bool IsHeld(IOException e) => OperatingSystem.IsWindows()
        ? e.HResult == unchecked((int)0x80070020)
        : e.HResult is 11 or 35;

    public void Dispose() => _stream.Dispose();
}

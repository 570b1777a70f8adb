using System.Collections.Concurrent;
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

    // The folders in which a lock was seen to hold.
    private static readonly ConcurrentDictionary<string, bool> Proven = new(StringComparer.Ordinal);

    private readonly FileStream _stream;

    private FileLock(FileStream stream) => _stream = stream;

    /// <summary>Takes the lock, waiting for its holder at most <see cref="Limit"/>.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: no permission, no locks, or the holder kept it.</exception>
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
                    "Run the command again when that process has ended. To end it in the middle of a renewal may cost the sign-in.");
            }
            // Jitter, so that many waiters do not knock in step and starve one another.
            await Task.Delay(Random.Shared.Next(5, 21), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Takes the lock where nobody has it; null where somebody does.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: no permission, or no locks.</exception>
    public static FileLock? TryAcquire(string path)
    {
        try
        {
            var folder = Path.GetDirectoryName(path)!;
            WholeFile.EnsureFolder(folder);
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
            var held = new FileLock(new FileStream(path, options));
            if (!OperatingSystem.IsWindows() && !Proven.ContainsKey(folder))
            {
                Prove(held, path, options);
                Proven[folder] = true;
            }
            return held;
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

    /// <summary>
    /// Makes sure that the lock keeps another out. Where the file system has no locks the file is opened all the same and
    /// without a word: two processes would then spend one refresh token twice.
    /// </summary>
    private static void Prove(FileLock held, string path, FileStreamOptions options)
    {
        try
        {
            new FileStream(path, options).Dispose();
        }
        catch (IOException e) when (IsHeld(e))
        {
            return;
        }
        catch
        {
            held.Dispose();
            throw;
        }
        held.Dispose();
        throw new McpAuthException(ErrorReason.ConfigurationUnavailable,
            $"Files in '{Path.GetDirectoryName(path)}' cannot be locked, and without locks two commands at once lose a sign-in.",
            "Name a folder on a disk of this machine with MCPSM_CONFIG_DIR, or mount the one there is with locks.");
    }

    /// <summary>Sharing violation: 0x80070020 on Windows; EWOULDBLOCK of flock on Linux (11) and macOS (35).</summary>
    private static bool IsHeld(IOException e) => OperatingSystem.IsWindows()
        ? e.HResult == unchecked((int)0x80070020)
        : e.HResult is 11 or 35;

    public void Dispose() => _stream.Dispose();
}

using System.Collections.Concurrent;
using System.Runtime.Versioning;
using McpSm.Core.Errors;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Core.Files;

/// <summary>
/// A lock between processes and threads: a locked file, or on Windows a file opened without sharing. The system releases the lock when its holder
/// ends, even after a crash. The file remains and has no meaning.
/// </summary>
internal sealed class FileLock : IDisposable
{
    /// <summary>How long to wait for a lock before giving up.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // The folders in which locks were verified to work.
    private static readonly ConcurrentDictionary<string, bool> Verified = new(StringComparer.Ordinal);

    private readonly IDisposable _file;

    private FileLock(IDisposable file) => _file = file;

    /// <summary>Whether the lock was held by another process or thread when it was requested.</summary>
    public bool Waited { get; private set; }

    /// <summary>Acquires the lock. Waits for at most <see cref="Limit"/>.</summary>
    /// <param name="path">The path of the lock file.</param>
    /// <param name="time">The clock of the wait.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <param name="heldTooLong">Returns the error for a timeout; null, or a null result, for the default error.</param>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: no permission, no support for locks, or a timeout.</exception>
    public static async Task<FileLock> AcquireAsync(string path, TimeProvider time, CancellationToken cancellationToken,
        Func<McpAuthException?>? heldTooLong = null)
    {
        var started = time.GetTimestamp();
        for (var waited = false; ; waited = true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryAcquire(path) is { } acquired)
            {
                acquired.Waited = waited;
                return acquired;
            }
            if (time.GetElapsedTime(started) > Limit)
            {
                throw heldTooLong?.Invoke() ?? new McpAuthException(ErrorReason.ConfigurationUnavailable,
                    $"Another process has held '{path}' for {Limit.TotalSeconds:0} seconds.",
                    "Wait for that process, then run the command again. Killing it during a renewal can sign you out.");
            }
            // A random delay, so that many waiters do not retry in step and starve one another.
            await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(5, 21)), time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Acquires the lock if it is free; returns null otherwise.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: no permission, or no support for locks.</exception>
    public static FileLock? TryAcquire(string path)
    {
        try
        {
            var folder = Path.GetDirectoryName(path)!;
            AtomicFile.EnsureFolder(folder);
            if (OperatingSystem.IsWindows())
            {
                return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
            }
            if (!Verified.ContainsKey(folder) && UnixFile.StatusOfLink(folder) is { Kind: FileKind.Link } link && !FileOwner.MayFollow(link))
            {
                throw BoundedFile.NotAFile(folder, link);
            }
            if (Lock(path) is not { } file)
            {
                return null;
            }
            var acquired = new FileLock(file);
            if (!Verified.ContainsKey(folder))
            {
                Verify(acquired, path);
                Verified[folder] = true;
            }
            return acquired;
        }
        catch (IOException e) when (IsHeld(e))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unavailable("lock", path, e);
        }
    }

    /// <summary>
    /// Opens and locks the file; null if another process has the lock. Does not follow a link, which could lead to an important file or create one.
    /// </summary>
    [UnsupportedOSPlatform("windows")]
    private static SafeFileHandle? Lock(string path)
    {
        SafeFileHandle file;
        try
        {
            file = UnixFile.OpenToLock(path);
        }
        catch (IOException) when (UnixFile.StatusOfLink(path) is { Kind: not FileKind.Regular } status)
        {
            throw BoundedFile.NotAFile(path, status);
        }
        var locked = false;
        try
        {
            var status = UnixFile.Status(file);
            if (status.Kind != FileKind.Regular)
            {
                throw BoundedFile.NotAFile(path, status);
            }
            if (status.Owner == 0)
            {
                AtomicFile.GiveToFolderOwner(file, Path.GetDirectoryName(path)!);
            }
            locked = UnixFile.TryLock(file, out var error);
            return locked ? file : UnixFile.IsHeld(error) ? null : throw NoLocks(path);
        }
        finally
        {
            if (!locked)
            {
                file.Dispose();
            }
        }
    }

    /// <summary>
    /// Verifies that the lock excludes another process. Some file systems report success without locking; two processes would then use the same
    /// refresh token.
    /// </summary>
    [UnsupportedOSPlatform("windows")]
    private static void Verify(FileLock acquired, string path)
    {
        try
        {
            if (Lock(path) is not { } second)
            {
                return;
            }
            second.Dispose();
        }
        catch
        {
            acquired.Dispose();
            throw;
        }
        acquired.Dispose();
        throw NoLocks(path);
    }

    private static McpAuthException NoLocks(string path) => new(ErrorReason.ConfigurationUnavailable,
        $"The file system of '{Path.GetDirectoryName(path)}' does not support locks. Without locks, two commands at the same time can sign you out.",
        "Set MCPSM_CONFIG_DIR to a folder on a local disk, or mount the file system with support for locks.");

    /// <summary>Whether the error is a sharing violation.</summary>
    private static bool IsHeld(IOException e) => OperatingSystem.IsWindows() && e.HResult == unchecked((int)0x80070020);

    public void Dispose() => _file.Dispose();
}

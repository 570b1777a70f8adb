using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.Versioning;
using McpSm.Core.Errors;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Core.Files;

/// <summary>
/// A lock that holds across processes and threads: a file that is locked, or on Windows opened without sharing. The system frees it when its
/// holder ends, however it ends; the file itself stays and means nothing.
/// </summary>
public sealed class FileLock : IDisposable
{
    /// <summary>How long to wait for a lock before giving up.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // The folders in which a lock was seen to hold.
    private static readonly ConcurrentDictionary<string, bool> Verified = new(StringComparer.Ordinal);

    private readonly IDisposable _file;

    private FileLock(IDisposable file) => _file = file;

    /// <summary>Whether another held it when it was asked for.</summary>
    public bool Waited { get; private set; }

    /// <summary>Takes the lock, waiting for its holder at most <see cref="Limit"/>.</summary>
    /// <param name="heldTooLong">What to say if the holder kept it; null, or where it gives null, for our own words.</param>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: no permission, no locks, or the holder kept it.</exception>
    public static async Task<FileLock> AcquireAsync(string path, CancellationToken cancellationToken, Func<McpAuthException?>? heldTooLong = null)
    {
        var started = Stopwatch.GetTimestamp();
        for (var waited = false; ; waited = true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryAcquire(path) is { } held)
            {
                held.Waited = waited;
                return held;
            }
            if (Stopwatch.GetElapsedTime(started) > Limit)
            {
                throw heldTooLong?.Invoke() ?? new McpAuthException(ErrorReason.ConfigurationUnavailable,
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
            var held = new FileLock(file);
            if (!Verified.ContainsKey(folder))
            {
                Verify(held, path);
                Verified[folder] = true;
            }
            return held;
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
    /// Opens the file and locks it; null if another process has. A link in its place is not followed: it could lead to a file
    /// that means something, or have one made.
    /// </summary>
    [UnsupportedOSPlatform("windows")]
    private static SafeFileHandle? Lock(string path)
    {
        SafeFileHandle file;
        try
        {
            file = UnixFile.OpenToLock(path);
        }
        catch (IOException) when (UnixFile.StatusOfLink(path) is { Kind: not FileKind.Regular } found)
        {
            throw BoundedFile.NotAFile(path, found);
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
                AtomicFile.GiveToHeir(file, Path.GetDirectoryName(path)!);
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
    /// Makes sure that the lock keeps another out. Some file systems say that a file is locked, and lock nothing: two processes
    /// would then spend one refresh token twice.
    /// </summary>
    [UnsupportedOSPlatform("windows")]
    private static void Verify(FileLock held, string path)
    {
        try
        {
            if (Lock(path) is not { } again)
            {
                return;
            }
            again.Dispose();
        }
        catch
        {
            held.Dispose();
            throw;
        }
        held.Dispose();
        throw NoLocks(path);
    }

    private static McpAuthException NoLocks(string path) => new(ErrorReason.ConfigurationUnavailable,
        $"Files in '{Path.GetDirectoryName(path)}' cannot be locked, and without locks two commands at once lose a sign-in.",
        "Name a folder on a disk of this machine with MCPSM_CONFIG_DIR, or mount the one there is with locks.");

    /// <summary>Sharing violation.</summary>
    private static bool IsHeld(IOException e) => OperatingSystem.IsWindows() && e.HResult == unchecked((int)0x80070020);

    public void Dispose() => _file.Dispose();
}

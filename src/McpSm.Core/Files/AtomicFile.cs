using System.Diagnostics;
using McpSm.Core.Errors;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Core.Files;

/// <summary>
/// Files that are only ever seen whole: written beside their place, flushed to the disk and renamed over it.
/// A reader sees the old content or the new, never a mixture, whatever happens to the writer.
/// </summary>
public static class AtomicFile
{
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyFolder = OwnerOnlyFile | UnixFileMode.UserExecute;

    /// <summary>
    /// Windows replaces no file that a program has open, and opens none that is being replaced. Who reads or writes at that
    /// moment is refused, and tries again for this long: virus scanners hold a new file for seconds. Other systems have no such rule.
    /// </summary>
    private static readonly TimeSpan RetryTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Told before each step. The fault bench ends the process there, or has the disk be full.</summary>
    internal static Action<AtomicFileStep>? BeforeStep { get; set; }

    /// <summary>The content, or null where there is no such file.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    public static byte[]? Read(string path)
    {
        try
        {
            return WithRetry(() => BoundedFile.Read(path));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unavailable("read", path, e);
        }
    }

    /// <summary>Replaces the file, mode 0600, and makes its folder, mode 0700, where there is none.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable; the old file is untouched.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content)
    {
        // A link (dotfiles are often linked into place) is written through, not replaced by a plain file.
        var target = Resolve(path);
        var fresh = $"{target}.{Environment.ProcessId}-{Guid.NewGuid():n}.tmp";
        try
        {
            EnsureFolder(Path.GetDirectoryName(target)!);
            BeforeStep?.Invoke(AtomicFileStep.Create);
            using (var stream = new FileStream(fresh, NewFile()))
            {
                GiveToHeir(stream.SafeFileHandle, Path.GetDirectoryName(target)!);
                BeforeStep?.Invoke(AtomicFileStep.Write);
                stream.Write(content);
                BeforeStep?.Invoke(AtomicFileStep.Flush);
                stream.Flush(flushToDisk: true);
            }
            BeforeStep?.Invoke(AtomicFileStep.Rename);
            WithRetry(() =>
            {
                File.Move(fresh, target, overwrite: true);
                return true;
            });
            BeforeStep?.Invoke(AtomicFileStep.Sweep);
            RemoveAbandoned(target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            Discard(fresh);
            throw target != path && IsReadOnly(e) ? BehindLink(path, target) : Unavailable("write", path, e);
        }
    }

    /// <summary>Removes the file; no error where there is none.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    public static void Remove(string path)
    {
        try
        {
            BeforeStep?.Invoke(AtomicFileStep.Remove);
            WithRetry(() =>
            {
                File.Delete(path);
                return true;
            });
        }
        catch (DirectoryNotFoundException)
        {
            // Nothing there is what was asked for.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unavailable("remove", path, e);
        }
    }

    /// <summary>Makes the folder, mode 0700, and those above it, where there are none. An existing one keeps its mode.</summary>
    public static void EnsureFolder(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }
        if (Path.GetDirectoryName(path) is { Length: > 0 } parent)
        {
            // One by one: what the system makes on the way to a folder is open to all.
            EnsureFolder(parent);
        }
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerOnlyFolder);
            if (Path.GetDirectoryName(path) is { Length: > 0 } above && FileOwner.HeirIn(above) is not null)
            {
                // Opened, so that it is the folder that was made, and not what its owner to be has put in its place.
                using var made = UnixFile.OpenFolder(path);
                if (UnixFile.Status(made) is { Kind: FileKind.Folder, Owner: 0 })
                {
                    GiveToHeir(made, above);
                }
            }
        }
    }

    /// <summary>Gives what root has made in another user's folder to that user.</summary>
    internal static void GiveToHeir(SafeFileHandle made, string folder)
    {
        if (OperatingSystem.IsWindows() || FileOwner.HeirIn(folder) is not { } heir)
        {
            return;
        }
        try
        {
            UnixFile.Give(made, heir.User, heir.Group);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A root that may not, in a container or on a network share. The file is no worse for being ours.
        }
    }

    internal static McpAuthException Unavailable(string verb, string path, Exception e) =>
        new(ErrorReason.ConfigurationUnavailable, $"Cannot {verb} '{path}': {Explain(e)}.", Remedy(e), e);

    private static McpAuthException BehindLink(string path, string target) => new(ErrorReason.ConfigurationUnavailable,
        $"Cannot replace '{path}': it is a link to '{target}', and nothing can be written there.",
        "Put the file itself in the place of the link, make the folder that it leads to writable for you, or name another folder with MCPSM_CONFIG_DIR.");

    private static string Remedy(Exception e) => Errno(e) switch
    {
        Busy => "Mount its folder and not the file alone, or name another folder with MCPSM_CONFIG_DIR.",
        TooManyOpen => "Let the process open more files: ulimit -n",
        _ when IsTooLarge(e) => "Let the process write larger files: ulimit -f",
        NoSpace => "Make room on that disk, or name a folder on another with MCPSM_CONFIG_DIR.",
        _ => "Make the folder readable and writable for you, or name another with MCPSM_CONFIG_DIR.",
    };

    // Alike on Linux and macOS; on Windows an HResult is never so small.
    private const int Busy = 16;
    private const int TooManyOpen = 24;
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;

    private static int Errno(Exception e) => e is IOException && !OperatingSystem.IsWindows() ? e.HResult : 0;

    private static bool IsReadOnly(Exception e) => e is UnauthorizedAccessException || Errno(e) == ReadOnlyFileSystem;

    /// <summary>EFBIG, for which .NET has an exception about arguments.</summary>
    private static bool IsTooLarge(Exception e) => e is ArgumentOutOfRangeException;

    private static T WithRetry<T>(Func<T> step)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                return step();
            }
            catch (Exception e) when (OperatingSystem.IsWindows() && IsInUse(e) && Stopwatch.GetElapsedTime(started) < RetryTimeout)
            {
                Thread.Sleep(Random.Shared.Next(1, 11));
            }
        }
    }

    /// <summary>Access denied, which is also what a missing right is told as, and sharing violation.</summary>
    private static bool IsInUse(Exception e) => e is UnauthorizedAccessException || e.HResult == unchecked((int)0x80070020);

    private static string Explain(Exception e) => e switch
    {
        UnauthorizedAccessException => "permission denied",
        DirectoryNotFoundException => "its folder cannot be made",
        PathTooLongException => "the path is too long",
        _ when Errno(e) == Busy => "it is a mount point of its own, and cannot be replaced",
        _ when IsTooLarge(e) => "it would be larger than this process may write",
        // .NET's own text for the remaining cases (no space left, read-only file system, input/output error)
        // names the path again and ends in a full stop.
        _ => UntrustedText.Sanitize(e.Message).TrimEnd('.'),
    };

    private static string Resolve(string path)
    {
        try
        {
            return File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
        }
        catch (IOException)
        {
            // No such file, or a loop of links, which the write itself then reports.
            return path;
        }
    }

    private static FileStreamOptions NewFile()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            Share = FileShare.None,
            BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = OwnerOnlyFile;
        }
        return options;
    }

    /// <summary>Removes what writers left that were killed: nobody needs that long between making and renaming.</summary>
    private static void RemoveAbandoned(string target)
    {
        var before = DateTime.UtcNow - TimeSpan.FromMinutes(10);
        foreach (var left in Directory.EnumerateFiles(Path.GetDirectoryName(target)!, Path.GetFileName(target) + ".*.tmp"))
        {
            if (File.GetLastWriteTimeUtc(left) < before)
            {
                Discard(left);
            }
        }
    }

    private static void Discard(string fresh)
    {
        try
        {
            File.Delete(fresh);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What there is to report is not this; a left-over .tmp file is never read.
        }
    }
}

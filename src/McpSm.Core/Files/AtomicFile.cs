using McpSm.Core.Errors;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Core.Files;

/// <summary>
/// Reads and writes files so that readers always see a complete file. A write goes to a temporary file, is flushed to the disk, and replaces the
/// target with a rename. Whatever happens to the writer, a reader sees either the old content or the new.
/// </summary>
internal static class AtomicFile
{
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyFolder = OwnerOnlyFile | UnixFileMode.UserExecute;

    /// <summary>
    /// How long to retry on Windows, which does not replace a file that another program has open, and does not open a file that is being replaced.
    /// Virus scanners keep a new file open for seconds.
    /// </summary>
    private static readonly TimeSpan RetryTimeout = TimeSpan.FromSeconds(10);

#pragma warning disable RS0030 // The system sets the times of files, and other programs keep files open. Neither follows the clock of AppEnvironment.
    private static readonly TimeProvider Clock = TimeProvider.System;
#pragma warning restore RS0030

    /// <summary>Called before each step. Crash tests end the process there or simulate a full disk.</summary>
    internal static Action<AtomicFileStep>? BeforeStep { get; set; }

    /// <summary>Reads the file; returns null if it does not exist.</summary>
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

    /// <summary>Replaces the file (mode 0600), and creates its folder (mode 0700) if necessary.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable; the old file is unchanged.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content) => Replace(path, content, prepare: null, isUnchanged: null);

    /// <summary>Replaces a file that other programs write too.</summary>
    /// <param name="path">The path.</param>
    /// <param name="content">The new content.</param>
    /// <param name="prepare">Gives the new file another mode or owner; null for mode 0600.</param>
    /// <param name="isUnchanged">Called just before the rename. If it returns false, the file stays as it is.</param>
    /// <returns>Whether the file was replaced.</returns>
    /// <exception cref="McpAuthException">ConfigurationUnavailable; the old file is unchanged.</exception>
    public static bool Replace(string path, ReadOnlySpan<byte> content, Action<SafeFileHandle>? prepare, Func<bool>? isUnchanged)
    {
        // Write through a link instead of replacing it: dotfiles are often links.
        var target = Resolve(path);
        var temporary = $"{target}.{Environment.ProcessId}-{Guid.NewGuid():n}.tmp";
        try
        {
            EnsureFolder(Path.GetDirectoryName(target)!);
            BeforeStep?.Invoke(AtomicFileStep.Create);
            using (var stream = new FileStream(temporary, NewFile()))
            {
                GiveToFolderOwner(stream.SafeFileHandle, Path.GetDirectoryName(target)!);
                prepare?.Invoke(stream.SafeFileHandle);
                BeforeStep?.Invoke(AtomicFileStep.Write);
                stream.Write(content);
                BeforeStep?.Invoke(AtomicFileStep.Flush);
                stream.Flush(flushToDisk: true);
            }
            BeforeStep?.Invoke(AtomicFileStep.Rename);
            if (isUnchanged?.Invoke() == false)
            {
                Discard(temporary);
                return false;
            }
            WithRetry(() =>
            {
                File.Move(temporary, target, overwrite: true);
                return true;
            });
            BeforeStep?.Invoke(AtomicFileStep.Sweep);
            RemoveAbandoned(target);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException)
        {
            Discard(temporary);
            throw target != path && IsReadOnly(e) ? UnwritableLinkTarget(path, target) : Unavailable("write", path, e);
        }
        catch (McpAuthException)
        {
            // The caller could not read the file to compare it.
            Discard(temporary);
            throw;
        }
    }

    /// <summary>Removes the file. Does not fail if it does not exist.</summary>
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
            // The folder does not exist, so neither does the file.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unavailable("remove", path, e);
        }
    }

    /// <summary>Creates the folder and its parents (mode 0700) if necessary. An existing folder keeps its mode.</summary>
    public static void EnsureFolder(string path)
    {
        if (Directory.Exists(path))
        {
            return;
        }
        if (Path.GetDirectoryName(path) is { Length: > 0 } parent)
        {
            // Create the parents one by one: the system would create them with access for other users.
            EnsureFolder(parent);
        }
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, OwnerOnlyFolder);
            if (Path.GetDirectoryName(path) is { Length: > 0 } above && FileOwner.OwnerForNewFilesIn(above) is not null)
            {
                // Open the new folder, because its future owner could replace it before the change of owner.
                using var created = UnixFile.OpenFolder(path);
                if (UnixFile.Status(created) is { Kind: FileKind.Folder, Owner: 0 })
                {
                    GiveToFolderOwner(created, above);
                }
            }
        }
    }

    /// <summary>Gives a file or folder that root created in another user's folder to that user.</summary>
    internal static void GiveToFolderOwner(SafeFileHandle created, string folder)
    {
        if (OperatingSystem.IsWindows() || FileOwner.OwnerForNewFilesIn(folder) is not { } owner)
        {
            return;
        }
        try
        {
            UnixFile.Give(created, owner.User, owner.Group);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Root without this right, as in a container or on a network share. The file stays usable for root.
        }
    }

    internal static McpAuthException Unavailable(string verb, string path, Exception e) =>
        new(ErrorReason.ConfigurationUnavailable, $"Cannot {verb} '{path}': {Explain(e)}.", Remedy(e), e);

    private static McpAuthException UnwritableLinkTarget(string path, string target) => new(ErrorReason.ConfigurationUnavailable,
        $"Cannot replace '{path}': it is a link to '{target}', which is not writable.",
        "Replace the link with the file, make the folder of its target writable for you, or set MCPSM_CONFIG_DIR to another folder.");

    private static string Remedy(Exception e) => Errno(e) switch
    {
        Busy => "Mount the folder instead of the file, or set MCPSM_CONFIG_DIR to another folder.",
        TooManyOpen => "Increase the limit for open files: ulimit -n",
        _ when IsTooLarge(e) => "Increase the limit for the size of files: ulimit -f",
        NoSpace => "Free up space on the disk, or set MCPSM_CONFIG_DIR to a folder on another disk.",
        _ => "Make the folder readable and writable for you, or set MCPSM_CONFIG_DIR to another folder.",
    };

    // These values are the same on Linux and macOS. On Windows an HResult is never this small.
    private const int Busy = 16;
    private const int TooManyOpen = 24;
    private const int NoSpace = 28;
    private const int ReadOnlyFileSystem = 30;

    private static int Errno(Exception e) => e is IOException && !OperatingSystem.IsWindows() ? e.HResult : 0;

    private static bool IsReadOnly(Exception e) => e is UnauthorizedAccessException || Errno(e) == ReadOnlyFileSystem;

    /// <summary>Whether the error is EFBIG, which .NET maps to an argument exception.</summary>
    private static bool IsTooLarge(Exception e) => e is ArgumentOutOfRangeException;

    private static T WithRetry<T>(Func<T> step)
    {
        var started = Clock.GetTimestamp();
        while (true)
        {
            try
            {
                return step();
            }
            catch (Exception e) when (OperatingSystem.IsWindows() && IsInUse(e) && Clock.GetElapsedTime(started) < RetryTimeout)
            {
#pragma warning disable RS0030 // Callers are synchronous, and other programs do not close a file sooner because a clock is moved.
                Thread.Sleep(Random.Shared.Next(1, 11));
#pragma warning restore RS0030
            }
        }
    }

    /// <summary>Whether the error is a sharing violation or access denied, which Windows also returns for a missing permission.</summary>
    private static bool IsInUse(Exception e) => e is UnauthorizedAccessException || e.HResult == unchecked((int)0x80070020);

    private static string Explain(Exception e) => e switch
    {
        UnauthorizedAccessException => "permission denied",
        DirectoryNotFoundException => "its folder cannot be created",
        PathTooLongException => "the path is too long",
        _ when Errno(e) == Busy => "it is a mount point and cannot be replaced",
        _ when IsTooLarge(e) => "it would exceed the file size limit of this process",
        // The message of .NET for the remaining errors (no space left, read-only file system, input/output error) repeats the path and ends with a
        // period.
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
            // The file does not exist, or there is a loop of links, which the write reports.
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

    /// <summary>Removes temporary files of killed writers. A live writer takes far less than 10 minutes between creation and rename.</summary>
    private static void RemoveAbandoned(string target)
    {
        var oldest = Clock.GetUtcNow().UtcDateTime - TimeSpan.FromMinutes(10);
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(target)!, Path.GetFileName(target) + ".*.tmp"))
        {
            if (File.GetLastWriteTimeUtc(file) < oldest)
            {
                Discard(file);
            }
        }
    }

    private static void Discard(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The original error is reported instead. A leftover .tmp file is never read.
        }
    }
}

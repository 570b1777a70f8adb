using System.Text;
using McpSm.Clients.Editing;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using Microsoft.Win32.SafeHandles;

namespace McpSm.Clients.Files;

/// <summary>
/// A configuration file of a client. Clients rewrite their files at any time and take no lock, so a write first compares the file with what was read.
/// </summary>
internal sealed class ClientFile
{
    private const UnixFileMode ReadWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode NonOwnerWrite = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
    private const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private const UnixFileMode Permissions = (UnixFileMode)0b111_111_111;

    private readonly string _path;

    private ClientFile(string path, string realPath)
    {
        _path = path;
        RealPath = realPath;
    }

    /// <summary>The path of the file behind all links.</summary>
    public string RealPath { get; }

    /// <summary>Parses a file; returns null if it does not exist.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, with line and column. ConfigurationUnavailable.</exception>
    public static ConfigurationText? Read(ClientDocument document) =>
        Open(document.Path).ReadBytes() is { } content ? Parse(document, content) : null;

    /// <summary>Resolves the links of a path. The file may not exist.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable.</exception>
    public static ClientFile Open(string path) => ClientFileError.Explain(path, () => new ClientFile(path, Files.RealPath.Of(path)));

    /// <summary>Reads the file; returns null if it does not exist.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: also if it is not a regular file. ConfigurationCorrupt: larger than 64 MB.</exception>
    public byte[]? ReadBytes() => ClientFileError.Explain(_path, () => AtomicFile.Read(RealPath));

    private static ConfigurationText Parse(ClientDocument document, byte[] content)
    {
        var text = Decode(document.Path, content);
        return ClientFileError.Explain(document.Path, () => ConfigurationText.Parse(document.Format, text));
    }

    /// <summary>Returns the text of a file, with its byte order mark.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt, with line and column: it is not UTF-8.</exception>
    public static string Decode(string path, byte[] content)
    {
        JsonFile.RequireUtf8(path, content);
        return Encoding.UTF8.GetString(content);
    }

    /// <summary>Returns the folders that a write will create, the outermost first.</summary>
    public IReadOnlyList<string> MissingFolders()
    {
        var missing = new Stack<string>();
        for (var folder = Path.GetDirectoryName(RealPath); folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder))
        {
            missing.Push(folder);
        }
        return [.. missing];
    }

    /// <summary>Checks that we may replace the file.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: it is read-only, or belongs to another user.</exception>
    public void RequireWritable()
    {
        if (OperatingSystem.IsWindows())
        {
            if (File.Exists(RealPath) && File.GetAttributes(RealPath).HasFlag(FileAttributes.ReadOnly))
            {
                throw ClientFileError.ReadOnly(_path);
            }
        }
        else if (UnixFile.Status(RealPath) is { } status)
        {
            // A rename would replace such a file, because it needs only the right to write to the folder.
            if (FileOwner.IsForeign(status))
            {
                throw ClientFileError.Foreign(_path);
            }
            if (!status.Mode.HasFlag(UnixFileMode.UserWrite))
            {
                throw ClientFileError.ReadOnly(_path);
            }
        }
    }

    /// <summary>Replaces the file and keeps its mode and owner. Creates it, and its folders, if it does not exist.</summary>
    /// <param name="expected">What was read; null if the file did not exist.</param>
    /// <param name="content">The new content.</param>
    /// <returns>False if another program has changed the file since it was read.</returns>
    /// <exception cref="McpAuthException">ConfigurationUnavailable; the file is unchanged.</exception>
    public bool TryReplace(byte[]? expected, byte[] content) => ClientFileError.Explain(_path, () =>
    {
        CreateFolders();
        return AtomicFile.Replace(RealPath, content, Prepare, () => IsUnchanged(expected));
    });

    /// <summary>Removes the file, and folders that are empty then.</summary>
    /// <returns>False if another program has changed the file since it was read.</returns>
    /// <exception cref="McpAuthException">ConfigurationUnavailable; the file is unchanged.</exception>
    public bool TryRemove(byte[] expected, IEnumerable<string> folders) => ClientFileError.Explain(_path, () =>
    {
        if (!IsUnchanged(expected))
        {
            return false;
        }
        AtomicFile.Remove(RealPath);
        foreach (var folder in folders.Reverse().TakeWhile(f => Directory.Exists(f) && !Directory.EnumerateFileSystemEntries(f).Any()))
        {
            Directory.Delete(folder);
        }
        return true;
    });

    private bool IsUnchanged(byte[]? expected) =>
        AtomicFile.Read(RealPath) is var current && (expected is null ? current is null : current?.AsSpan().SequenceEqual(expected) == true);

    /// <summary>Creates the folders with the permissions of the folder around them.</summary>
    private void CreateFolders()
    {
        var missing = MissingFolders();
        AtomicFile.EnsureFolder(Path.GetDirectoryName(RealPath)!);
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        foreach (var folder in missing)
        {
            if (UnixFile.Status(Path.GetDirectoryName(folder)!) is { } parent)
            {
                using var created = UnixFile.OpenFolder(folder);
                File.SetUnixFileMode(created, (parent.Mode & Permissions & ~NonOwnerWrite) | ReadWrite | UnixFileMode.UserExecute);
            }
        }
    }

    /// <summary>Gives the new file the mode and owner of the old one. A file that did not exist is as readable as its folder.</summary>
    private void Prepare(SafeFileHandle created)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        if (UnixFile.Status(RealPath) is not { } old)
        {
            var folder = UnixFile.Status(Path.GetDirectoryName(RealPath)!)?.Mode ?? UnixFileMode.None;
            File.SetUnixFileMode(created, (folder & Permissions & ~NonOwnerWrite & ~Execute) | ReadWrite);
            return;
        }
        var mode = old.Mode & Permissions;
        if (UnixFile.Status(created) is var status && (status.Owner != old.Owner || status.Group != old.Group) && !TryGive(created, old))
        {
            // The group of the new file is another one. It gets no more rights than everyone has.
            var others = (UnixFileMode)((int)mode & 0b111);
            mode = (mode & ~(UnixFileMode)0b111_000) | (mode & (UnixFileMode)((int)others << 3));
        }
        File.SetUnixFileMode(created, mode);
    }

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static bool TryGive(SafeFileHandle created, FileStatus old)
    {
        try
        {
            UnixFile.Give(created, old.Owner, old.Group);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Only root may change the owner, and others only to a group of their own.
            return false;
        }
    }
}

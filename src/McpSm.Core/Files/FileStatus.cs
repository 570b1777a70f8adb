namespace McpSm.Core.Files;

/// <summary>What the system knows of a file (stat(2)).</summary>
internal readonly record struct FileStatus(FileKind Kind, UnixFileMode Mode, uint Owner, uint Group, long Size)
{
    /// <summary>What it is, in a word for people.</summary>
    public string Word => Kind switch
    {
        FileKind.Folder => "a folder",
        FileKind.Pipe => "a named pipe",
        FileKind.Socket => "a socket",
        FileKind.Device => "a device",
        FileKind.Link => "a link",
        _ => "not a regular file",
    };
}

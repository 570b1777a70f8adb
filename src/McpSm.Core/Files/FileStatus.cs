namespace McpSm.Core.Files;

/// <summary>The status of a file (stat(2)).</summary>
internal readonly record struct FileStatus(FileKind Kind, UnixFileMode Mode, uint Owner, uint Group, long Size)
{
    /// <summary>The kind of the file in words, for messages.</summary>
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

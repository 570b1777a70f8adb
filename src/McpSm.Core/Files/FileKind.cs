namespace McpSm.Core.Files;

/// <summary>The kind of file at a path.</summary>
internal enum FileKind
{
    Regular,
    Folder,
    Pipe,
    Socket,
    Device,
    Link,
    Other,
}

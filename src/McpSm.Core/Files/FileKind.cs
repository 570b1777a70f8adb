namespace McpSm.Core.Files;

/// <summary>What stands at a path.</summary>
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

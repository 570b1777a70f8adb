namespace McpSm.Core.Files;

/// <summary>The steps of a change. A process may end between any two of them.</summary>
internal enum AtomicFileStep
{
    Create,
    Write,
    Flush,
    Rename,
    Sweep,
    Remove,
}

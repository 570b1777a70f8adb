namespace McpSm.Core.Files;

/// <summary>The steps of a change, between any two of which a process may end.</summary>
internal enum AtomicFileStep
{
    Create,
    Write,
    Flush,
    Rename,
    Sweep,
    Remove,
}

namespace McpSm.Clients.Undo;

/// <summary>What an edit does to a configuration file.</summary>
/// <param name="Path">The path that the caller named.</param>
/// <param name="Before">The old text; null if the file did not exist.</param>
/// <param name="After">The new text; null if the file is removed.</param>
internal sealed record ClientFileChange(string Path, string? Before, string? After)
{
    public bool IsChange => Before != After;
}

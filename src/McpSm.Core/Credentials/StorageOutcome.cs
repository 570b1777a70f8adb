namespace McpSm.Core.Credentials;

/// <summary>Where tokens are that could not be stored completely.</summary>
internal enum StorageOutcome
{
    /// <summary>In the encrypted file, until the vault can be written.</summary>
    Pending,
    /// <summary>In the vault, but the index entry is stale.</summary>
    WithoutIndexEntry,
    /// <summary>Only in memory.</summary>
    MemoryOnly,
}

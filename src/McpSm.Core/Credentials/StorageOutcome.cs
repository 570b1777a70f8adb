namespace McpSm.Core.Credentials;

/// <summary>Where something is that an issuer gave for good and that could not be kept as it should be.</summary>
internal enum StorageOutcome
{
    /// <summary>In the encrypted file, until its vault can be written.</summary>
    Pending,
    /// <summary>In its vault; the facts do not say so yet.</summary>
    WithoutIndexEntry,
    /// <summary>In memory alone.</summary>
    MemoryOnly,
}

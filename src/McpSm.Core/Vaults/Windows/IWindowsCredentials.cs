using McpSm.Core.Errors;

namespace McpSm.Core.Vaults.Windows;

/// <summary>
/// A Windows user's credential set, as far as it is needed: named entries of at most
/// <see cref="ChunkedSecret.EntryBytes"/> bytes, each replaced whole. Names differ by more than case.
/// </summary>
internal interface IWindowsCredentials
{
    /// <summary>The entry's content; null where there is none.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable; so every member.</exception>
    byte[]? Read(string target);

    void Write(string target, ReadOnlySpan<byte> content);

    /// <summary>False where there was none.</summary>
    bool Delete(string target);

    /// <summary>All entries whose name begins so.</summary>
    IReadOnlyList<(string Target, byte[] Content)> List(string prefix);
}

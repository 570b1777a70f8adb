using McpSm.Core.Errors;

namespace McpSm.Core.Vaults.Windows;

/// <summary>
/// The parts of a Windows user's credential set that Mcpsm needs: named entries of at most <see cref="ChunkedSecret.EntryBytes"/> bytes. A write
/// replaces the whole entry. Names are not case-sensitive.
/// </summary>
internal interface IWindowsCredentials
{
    /// <summary>Returns the content of the entry; null if it does not exist.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable. The same for every member.</exception>
    byte[]? Read(string target);

    void Write(string target, ReadOnlySpan<byte> content);

    /// <summary>Removes the entry. Returns false if it did not exist.</summary>
    bool Delete(string target);

    /// <summary>Returns all entries whose name starts with the prefix.</summary>
    IReadOnlyList<(string Target, byte[] Content)> List(string prefix);
}

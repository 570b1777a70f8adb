namespace McpSm.Core.Vaults.MacOS;

/// <summary>The generic passwords of the macOS Keychain with our service name, by account.</summary>
internal interface IKeychain
{
    /// <summary>Returns the password; empty if it does not exist.</summary>
    /// <exception cref="Errors.McpAuthException">VaultUnavailable, VaultLocked. The same for every member.</exception>
    byte[] Read(string account);

    void Write(string account, byte[] password);

    /// <summary>Removes the password. Does not fail if it does not exist.</summary>
    void Remove(string account);
}

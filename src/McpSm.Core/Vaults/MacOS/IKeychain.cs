using McpSm.Core.Errors;

namespace McpSm.Core.Vaults.MacOS;

/// <summary>The generic passwords of the macOS Keychain under our service, by account.</summary>
internal interface IKeychain
{
    /// <summary>The password; empty where there is none.</summary>
    /// <exception cref="Errors.McpAuthException">VaultUnavailable, VaultLocked; so every member.</exception>
    byte[] Read(string account);

    void Write(string account, byte[] password);

    /// <summary>No error where there is none.</summary>
    void Remove(string account);
}

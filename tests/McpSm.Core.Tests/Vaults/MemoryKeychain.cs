using System.Collections.Concurrent;
using McpSm.Core.Errors;
using McpSm.Core.Vaults.MacOS;

namespace McpSm.Core.Tests.Vaults;

/// <summary>A keychain in memory that can be locked for changes.</summary>
internal sealed class MemoryKeychain : IKeychain
{
    public ConcurrentDictionary<string, byte[]> Passwords { get; } = new();

    public bool IsLocked { get; set; }

    public byte[] Read(string account) => Passwords.GetValueOrDefault(account, []);

    public void Write(string account, byte[] password) => Unlocked()[account] = password;

    public void Remove(string account) => Unlocked().TryRemove(account, out _);

    private ConcurrentDictionary<string, byte[]> Unlocked() =>
        IsLocked ? throw new McpAuthException(ErrorReason.VaultLocked, "The keychain is locked.") : Passwords;
}

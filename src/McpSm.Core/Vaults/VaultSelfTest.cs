using System.Security.Cryptography;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;

namespace McpSm.Core.Vaults;

/// <summary>Whether a vault keeps what it is given: writes, reads and removes an item.</summary>
public static class VaultSelfTest
{
    internal const string ItemPrefix = "mcpsmcheck-";

    /// <exception cref="McpAuthException">VaultUnavailable, and whatever the vault says.</exception>
    public static Task RunAsync(IVault vault, CancellationToken cancellationToken) => RunAsync(vault, false, cancellationToken);

    /// <param name="padded">Whether the item is as large as a credential with some room to grow.</param>
    /// <exception cref="McpAuthException">VaultUnavailable, and whatever the vault says.</exception>
    internal static async Task RunAsync(IVault vault, bool padded, CancellationToken cancellationToken)
    {
        // Two processes may look at once, each at an item of its own.
        var item = ItemPrefix + RandomNumberGenerator.GetHexString(8, lowercase: true);
        var text = RandomNumberGenerator.GetHexString(padded ? 12 * 1024 : 32);
        await vault.SetAsync(item, text, cancellationToken).ConfigureAwait(false);
        var back = await vault.GetAsync(item, cancellationToken).ConfigureAwait(false);
        await vault.RemoveAsync(item, cancellationToken).ConfigureAwait(false);
        if (back != text)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable,
                $"The vault '{vault.Name}' does not give back what it was given.", $"Choose another with: {new UseVaultStep()}")
            { Vault = vault.Name };
        }
    }
}

using System.Security.Cryptography;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;

namespace McpSm.Core.Vaults;

/// <summary>Tests a vault by writing, reading and removing an item.</summary>
internal static class VaultSelfTest
{
    internal const string ItemPrefix = "mcpsmcheck-";

    /// <summary>Tests the vault with a short item.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable, and every error of the vault.</exception>
    public static Task RunAsync(IVault vault, CancellationToken cancellationToken) => RunAsync(vault, false, cancellationToken);

    /// <summary>Tests the vault with a new item.</summary>
    /// <param name="vault">The vault to test.</param>
    /// <param name="padded">Whether the item is as large as a credential with some room to grow.</param>
    /// <param name="cancellationToken">Cancels the test.</param>
    /// <exception cref="McpAuthException">VaultUnavailable, and every error of the vault.</exception>
    internal static async Task RunAsync(IVault vault, bool padded, CancellationToken cancellationToken)
    {
        // Each test uses its own item, because two processes may test at the same time.
        var item = ItemPrefix + RandomNumberGenerator.GetHexString(8, lowercase: true);
        var text = RandomNumberGenerator.GetHexString(padded ? 12 * 1024 : 32);
        await vault.SetAsync(item, text, cancellationToken).ConfigureAwait(false);
        var readText = await vault.GetAsync(item, cancellationToken).ConfigureAwait(false);
        await vault.RemoveAsync(item, cancellationToken).ConfigureAwait(false);
        if (readText != text)
        {
            throw new McpAuthException(ErrorReason.VaultUnavailable,
                $"The vault '{vault.Name}' returned a different text than Mcpsm stored in it.", $"Select another vault with: {new UseVaultStep()}")
            { Vault = vault.Name };
        }
    }
}

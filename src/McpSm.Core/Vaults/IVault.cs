using McpSm.Core.Errors;

namespace McpSm.Core.Vaults;

/// <summary>
/// A store for secrets: named items of text. A vault does not interpret the items. Names consist of letters, digits and dashes. Every member can
/// throw <see cref="McpAuthException"/> with VaultUnavailable, VaultLocked or VaultCorrupt, and has then changed nothing.
/// </summary>
public interface IVault
{
    /// <summary>The name that users select it by: <c>file</c>, <c>secret-service</c>, …</summary>
    string Name { get; }

    /// <summary>Returns the item's text, or null if the item does not exist.</summary>
    Task<string?> GetAsync(string item, CancellationToken cancellationToken);

    /// <summary>Stores the text under this name. Replaces an existing text in one step.</summary>
    /// <exception cref="McpAuthException">Also SecretTooLarge.</exception>
    Task SetAsync(string item, string text, CancellationToken cancellationToken);

    /// <summary>
    /// Stores the new text of an existing item, such as a renewed credential. A vault that currently does not accept new secrets still accepts this.
    /// </summary>
    Task ReplaceAsync(string item, string text, CancellationToken cancellationToken) => SetAsync(item, text, cancellationToken);

    /// <summary>Fails if the vault would reject every new secret, so that the user does not sign in for nothing. Does not prompt.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable.</exception>
    void RequireTakesNewSecrets()
    {
    }

    /// <summary>Removes the item. Returns false if it did not exist.</summary>
    Task<bool> RemoveAsync(string item, CancellationToken cancellationToken);

    /// <summary>Returns the names of our items in the vault.</summary>
    Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken);

    /// <summary>A sentence for people about how the vault protects its items. Does not open the vault.</summary>
    string Protection { get; }
}

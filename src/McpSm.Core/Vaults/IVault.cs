using McpSm.Core.Errors;

namespace McpSm.Core.Vaults;

/// <summary>
/// Where secrets rest: named items of text. A vault knows nothing of servers, tokens or credentials. Names are
/// letters, digits and dashes. Every member may throw <see cref="McpAuthException"/> with VaultUnavailable,
/// VaultLocked or VaultCorrupt, and then has changed nothing.
/// </summary>
public interface IVault
{
    /// <summary>The name by which users choose it: <c>file</c>, <c>secret-service</c>, …</summary>
    string Name { get; }

    /// <summary>The item's text, or null where there is no such item.</summary>
    Task<string?> GetAsync(string item, CancellationToken cancellationToken);

    /// <summary>Keeps the text under that name; what was there is replaced in one step.</summary>
    /// <exception cref="McpAuthException">SecretTooLarge, too.</exception>
    Task SetAsync(string item, string text, CancellationToken cancellationToken);

    /// <summary>
    /// Keeps what an item has become that this vault holds: renewed, or with a part of it removed. A vault that takes no new
    /// secrets at present takes this.
    /// </summary>
    Task ReplaceAsync(string item, string text, CancellationToken cancellationToken) => SetAsync(item, text, cancellationToken);

    /// <summary>Fails if the vault would refuse a new secret whatever it is, before a person signs in for nothing. Asks no one.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable.</exception>
    void RequireTakesNewSecrets()
    {
    }

    /// <summary>Removes the item; false where there was none.</summary>
    Task<bool> RemoveAsync(string item, CancellationToken cancellationToken);

    /// <summary>The names of the items of ours that it keeps.</summary>
    Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken);

    /// <summary>How it protects what it keeps, in a sentence for people. Opens nothing.</summary>
    string Protection { get; }
}

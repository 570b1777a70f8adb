using System.Text.Json.Serialization;

namespace McpSm.Core.Vaults;

/// <summary>An item that could not be written to its vault.</summary>
/// <param name="Vault">The name of the vault.</param>
/// <param name="Item">The name of the item.</param>
/// <param name="Base">A digest of the item's text in the vault at that time: see <see cref="VaultWithFallback"/>.</param>
/// <param name="Text">The text to store.</param>
internal sealed record PendingItem(
    [property: JsonPropertyName("Vault")] string Vault,
    [property: JsonPropertyName("Item")] string Item,
    [property: JsonPropertyName("Base")] string Base,
    [property: JsonPropertyName("Text")] string Text)
{
    /// <summary>Omits the text, because the generated ToString of a record prints all members.</summary>
    public override string ToString() => $"pending {Item}";
}

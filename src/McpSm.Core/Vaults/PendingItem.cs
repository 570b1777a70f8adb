using System.Text.Json.Serialization;

namespace McpSm.Core.Vaults;

/// <summary>An item that its vault could not be given.</summary>
/// <param name="Vault">The name of that vault.</param>
/// <param name="Base">A digest of the text that the vault held for the item at that time: see <see cref="VaultWithFallback"/>.</param>
internal sealed record PendingItem(
    [property: JsonPropertyName("Vault")] string Vault,
    [property: JsonPropertyName("Item")] string Item,
    [property: JsonPropertyName("Base")] string Base,
    [property: JsonPropertyName("Text")] string Text)
{
    /// <summary>Without the text: records print all their members.</summary>
    public override string ToString() => $"pending {Item}";
}

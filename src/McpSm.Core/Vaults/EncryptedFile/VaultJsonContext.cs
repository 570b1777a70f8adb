using System.Text.Json.Serialization;

namespace McpSm.Core.Vaults.EncryptedFile;

[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(PendingItem))]
internal sealed partial class VaultJsonContext : JsonSerializerContext;

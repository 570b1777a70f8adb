using System.Text.Json.Serialization;

namespace McpSm.Clients.Catalog;

[JsonSourceGenerationOptions(UseStringEnumConverter = true, PropertyNameCaseInsensitive = false, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(ClientList))]
internal sealed partial class ClientJsonContext : JsonSerializerContext;

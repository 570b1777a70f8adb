using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ServerSecrets))]
[JsonSerializable(typeof(ClientRegistration))]
[JsonSerializable(typeof(CredentialIndexDocument))]
[JsonSerializable(typeof(NamedSecret))]
[JsonSerializable(typeof(IdentityProviderSecrets))]
internal sealed partial class CredentialJson : JsonSerializerContext;

using McpSm.Core.Credentials;

namespace McpSm.Core.Management;

/// <summary>A secret that is served by name, without the secret.</summary>
/// <param name="Name">The name of the secret.</param>
/// <param name="Kind">The type of the secret.</param>
/// <param name="Metadata">Text, numbers, truth values and times.</param>
internal sealed record SecretInfo(string Name, SecretKind Kind, IReadOnlyDictionary<string, object> Metadata);

using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>The type that a named secret was set with, and is returned as.</summary>
internal enum SecretKind
{
    [JsonStringEnumMemberName("String")]
    String,
    [JsonStringEnumMemberName("SecureString")]
    SecureString,
}

using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>What a named secret was given as, and is given back as.</summary>
public enum SecretKind
{
    [JsonStringEnumMemberName("String")]
    String,
    [JsonStringEnumMemberName("SecureString")]
    SecureString,
}

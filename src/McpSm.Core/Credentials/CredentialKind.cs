using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>The kind of a server's credential.</summary>
public enum CredentialKind
{
    [JsonStringEnumMemberName("None")]
    None,
    [JsonStringEnumMemberName("Bearer")]
    Bearer,
    [JsonStringEnumMemberName("OAuth")]
    OAuth,
}

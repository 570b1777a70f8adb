using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>What kind of credential a server has.</summary>
public enum CredentialKind
{
    [JsonStringEnumMemberName("None")]
    None,
    [JsonStringEnumMemberName("Bearer")]
    Bearer,
    [JsonStringEnumMemberName("OAuth")]
    OAuth,
}

using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>Who signed in.</summary>
public enum SignedInBy
{
    [JsonStringEnumMemberName("Person")]
    Person,
    /// <summary>A client, for itself (RFC 6749 section 4.4).</summary>
    [JsonStringEnumMemberName("Client")]
    Client,
    /// <summary>A workload, with an assertion of its platform (RFC 7523).</summary>
    [JsonStringEnumMemberName("Workload")]
    Workload,
    /// <summary>A person, through the identity provider of their organisation.</summary>
    [JsonStringEnumMemberName("IdentityProvider")]
    IdentityProvider,
}

using System.Text.Json.Serialization;

namespace McpSm.Core.Credentials;

/// <summary>Who signed in.</summary>
public enum SignedInBy
{
    [JsonStringEnumMemberName("Person")]
    Person,
    /// <summary>A client of its own (RFC 6749 section 4.4).</summary>
    [JsonStringEnumMemberName("Client")]
    Client,
    /// <summary>A workload, with an assertion that its platform gives it (RFC 7523).</summary>
    [JsonStringEnumMemberName("Workload")]
    Workload,
    /// <summary>A person, at the identity provider of their organisation, which vouches for them at the server's issuer.</summary>
    [JsonStringEnumMemberName("IdentityProvider")]
    IdentityProvider,
}

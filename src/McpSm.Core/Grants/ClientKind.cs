using System.Text.Json.Serialization;

namespace McpSm.Core.Grants;

/// <summary>How a client identity came about.</summary>
public enum ClientKind
{
    /// <summary>The user supplied it.</summary>
    [JsonStringEnumMemberName("PreRegistered")]
    PreRegistered,
    /// <summary>The URL of a client metadata document (draft-ietf-oauth-client-id-metadata-document).</summary>
    [JsonStringEnumMemberName("MetadataDocument")]
    MetadataDocument,
    /// <summary>Registered dynamically (RFC 7591).</summary>
    [JsonStringEnumMemberName("Dynamic")]
    Dynamic,
    /// <summary>Azure gives it to this machine or service. Its id is empty where it is the machine's own.</summary>
    [JsonStringEnumMemberName("ManagedIdentity")]
    ManagedIdentity,
    /// <summary>None, and so without an id: the issuer knows a workload by its assertion.</summary>
    [JsonStringEnumMemberName("Workload")]
    Workload,
}

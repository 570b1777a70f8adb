using System.Text.Json.Serialization;

namespace McpSm.Core.Grants;

/// <summary>The origin of a client identity.</summary>
internal enum ClientKind
{
    /// <summary>The user configured it.</summary>
    [JsonStringEnumMemberName("PreRegistered")]
    PreRegistered,
    /// <summary>The client id is the URL of a client metadata document (draft-ietf-oauth-client-id-metadata-document).</summary>
    [JsonStringEnumMemberName("MetadataDocument")]
    MetadataDocument,
    /// <summary>Mcpsm registered it dynamically (RFC 7591).</summary>
    [JsonStringEnumMemberName("Dynamic")]
    Dynamic,
    /// <summary>A managed identity of Azure. The id is empty for the system-assigned identity.</summary>
    [JsonStringEnumMemberName("ManagedIdentity")]
    ManagedIdentity,
    /// <summary>No client id: the issuer identifies the workload by its assertion.</summary>
    [JsonStringEnumMemberName("Workload")]
    Workload,
}

namespace McpSm.Core.Grants;

/// <summary>Credentials that need no person, browser or redirect: those of a client (RFC 6749 section 4.4) or of a workload.</summary>
/// <param name="Id">The client id; null to use the id that is already known. The id is empty for a workload without one.</param>
/// <param name="Secret">The client secret.</param>
/// <param name="Key">The client key, if the client authenticates with <c>private_key_jwt</c>.</param>
/// <param name="IsManagedIdentity">Whether Azure gives the identity to this machine or service. Without an id, it is the system-assigned one.</param>
/// <param name="Assertion">The place of the assertion that authenticates a workload (RFC 7523 section 2.1).</param>
public sealed record ClientCredentials(string? Id = null, string? Secret = null, ClientKey? Key = null, bool IsManagedIdentity = false,
    WorkloadAssertionSource? Assertion = null)
{
    /// <summary>Whether there is anything to authenticate the client with.</summary>
    internal bool HasProof => Secret is not null || Key is not null || IsManagedIdentity || Assertion is not null;

    /// <summary>Hides the secret, because a record prints all its members.</summary>
    public override string ToString() => "client credentials";
}

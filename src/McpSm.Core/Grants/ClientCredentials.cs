namespace McpSm.Core.Grants;

/// <summary>What signs in with no person, no browser and no redirect: a client (RFC 6749 section 4.4), or a workload.</summary>
/// <param name="Id">The client id; null for the one that is known otherwise. A workload needs none: it is empty then.</param>
/// <param name="Secret">Its secret.</param>
/// <param name="Key">Its key, where it authenticates by <c>private_key_jwt</c>.</param>
/// <param name="IsManagedIdentity">It is an identity that Azure gives this machine or service; without an id its own.</param>
/// <param name="Assertion">Where a workload has its assertion from, which is its proof (RFC 7523 section 2.1).</param>
public sealed record ClientCredentials(string? Id = null, string? Secret = null, ClientKey? Key = null, bool IsManagedIdentity = false,
    WorkloadAssertionSource? Assertion = null)
{
    /// <summary>Whether there is something to prove the client with.</summary>
    internal bool HasProof => Secret is not null || Key is not null || IsManagedIdentity || Assertion is not null;

    /// <summary>Without the secret: records print all their members.</summary>
    public override string ToString() => "client credentials";
}

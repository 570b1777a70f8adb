namespace McpSm.Samples;

/// <summary>A platform that signs assertions for its workloads and publishes its keys with OpenID Connect discovery.</summary>
/// <param name="Issuer">The issuer identifier, the <c>iss</c> claim of its assertions.</param>
/// <param name="Subjects">The accepted workloads, by their <c>sub</c> claim.</param>
public sealed record TrustedPlatform(string Issuer, IReadOnlyList<string> Subjects)
{
    /// <summary>Accepts each assertion once (<c>jti</c>, RFC 7523 section 3), so that a workload needs a new one for each token.</summary>
    public bool RefuseReplays { get; init; }
}

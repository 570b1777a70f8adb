namespace McpSm.Samples;

/// <summary>A platform whose workloads are let in: it signs who they are, and publishes its keys as OpenID Connect has it.</summary>
/// <param name="Issuer">Its issuer identifier, the <c>iss</c> of its assertions.</param>
/// <param name="Subjects">The workloads that are let in, by their <c>sub</c>.</param>
public sealed record TrustedPlatform(string Issuer, IReadOnlyList<string> Subjects)
{
    /// <summary>Each assertion serves once (<c>jti</c>, RFC 7523 section 3): a workload then needs a new one for each token.</summary>
    public bool RefuseReplays { get; init; }
}

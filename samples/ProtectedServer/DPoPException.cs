namespace McpSm.Samples;

/// <summary>The error for a refused proof.</summary>
/// <param name="error"><c>invalid_dpop_proof</c> or <c>use_dpop_nonce</c> (RFC 9449 sections 7.1 and 8).</param>
public sealed class DPoPException(string error, string description) : Exception($"{error}: {description}")
{
    public string Error { get; } = error;

    public string Description { get; } = description;
}

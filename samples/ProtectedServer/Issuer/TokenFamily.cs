namespace McpSm.Samples;

/// <summary>All tokens that descend from one grant; they die together.</summary>
internal sealed class TokenFamily(Grant grant)
{
    public Grant Grant { get; } = grant;

    public bool Revoked { get; set; }
}

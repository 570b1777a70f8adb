namespace McpSm.Samples;

/// <summary>All tokens of one grant. They are revoked together.</summary>
internal sealed class TokenFamily(Grant grant)
{
    public Grant Grant { get; } = grant;

    public bool Revoked { get; set; }
}

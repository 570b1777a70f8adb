namespace McpSm.Samples;

public enum TokenState
{
    Active,

    /// <summary>A refresh token that was used and replaced.</summary>
    Rotated,
    Revoked,
    Expired,
}

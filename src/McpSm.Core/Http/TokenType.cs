namespace McpSm.Core.Http;

/// <summary>The authentication schemes for access tokens (RFC 6750 section 2.1, RFC 9449 section 7.1).</summary>
internal static class TokenType
{
    public const string Bearer = "Bearer";
    public const string DPoP = "DPoP";
}

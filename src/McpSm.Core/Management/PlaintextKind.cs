namespace McpSm.Core;

/// <summary>What kind of secret lies in plaintext.</summary>
public enum PlaintextKind
{
    BearerToken,
    OAuthTokens,
    ClientSecret,
    Header,
}

namespace McpSm.Samples;

public enum TokenKind
{
    Access,
    Refresh,
}

namespace McpSm.Core;

/// <summary>A secret of a server that lies in plaintext in a file. It is named here, never shown.</summary>
/// <param name="Kind">What the secret is.</param>
/// <param name="Header">The name of the header; null if the secret is not a header.</param>
/// <param name="File">The file's path.</param>
internal sealed record PlaintextSecret(PlaintextKind Kind, string? Header, string File)
{
    /// <summary>In words, such as "bearer token in config.json".</summary>
    public override string ToString() => Kind switch
    {
        PlaintextKind.BearerToken => "bearer token",
        PlaintextKind.OAuthTokens => "OAuth tokens",
        PlaintextKind.ClientSecret => "client secret",
        _ => $"header {Header}",
    } + " in " + Path.GetFileName(File);
}

namespace McpSm.Core;

/// <summary>What kind of secret lies in plaintext.</summary>
public enum PlaintextKind
{
    BearerToken,
    OAuthTokens,
    ClientSecret,
    Header,
}

/// <summary>A secret of a server that lies in plaintext in a file. It is named here, never shown.</summary>
/// <param name="Header">The header's name, where it is one.</param>
/// <param name="File">The file's path.</param>
public sealed record PlaintextSecret(PlaintextKind Kind, string? Header, string File)
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

/// <summary>What became of a secret in plaintext.</summary>
/// <param name="Vault">The vault it is in now; null where it was not taken over.</param>
/// <param name="Removed">Whether the plaintext is gone.</param>
/// <param name="Reason">Why it was not taken over, or not removed; null where both were done.</param>
public sealed record McpImport(string Id, string Name, PlaintextKind Kind, string? Header, string File, string? Vault, bool Removed, string? Reason);

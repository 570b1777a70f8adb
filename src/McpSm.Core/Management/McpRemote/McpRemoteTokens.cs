namespace McpSm.Core.Management.McpRemote;

/// <summary>A token set that <c>mcp-remote</c> stores in plaintext.</summary>
/// <param name="Hash">The name that is made of the URL and the options.</param>
/// <param name="File">The path of the file with the tokens.</param>
internal sealed record McpRemoteTokens(string Hash, string File)
{
    /// <summary>When <c>mcp-remote</c> wrote the file.</summary>
    public DateTimeOffset WrittenAt { get; init; }

    public required string AccessToken { get; init; }

    public string? RefreshToken { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public IReadOnlyList<string> Scopes { get; init; } = [];

    public string? ClientId { get; init; }

    public string? ClientSecret { get; init; }

    /// <summary>The method that the client was registered with; null if the file does not name it.</summary>
    public string? AuthMethod { get; init; }

    /// <summary>The issuer of the tokens; null if the files do not name it.</summary>
    public string? Issuer { get; init; }

    /// <summary>Omits the tokens, because the generated ToString of a record prints all members.</summary>
    public override string ToString() => $"tokens in {File}";
}

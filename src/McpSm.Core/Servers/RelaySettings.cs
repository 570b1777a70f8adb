namespace McpSm.Core.Servers;

/// <summary>How <c>mcpsm proxy</c> relays to a server: the member <c>relay</c> of the server in <c>config.json</c>.</summary>
internal sealed record RelaySettings
{
    public static RelaySettings None { get; } = new();

    /// <summary>Whether the relay asks a person to sign in if it starts without a usable credential.</summary>
    public bool SignIn { get; init; }
}

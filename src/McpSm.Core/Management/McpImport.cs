using McpSm.Core.Servers;

namespace McpSm.Core;

/// <summary>What became of a secret in plaintext.</summary>
public sealed class McpImport
{
    internal McpImport(McpServer server, PlaintextSecret secret)
    {
        Id = server.Id;
        Name = server.Name;
        Kind = secret.Kind;
        Header = secret.Header;
        File = secret.File;
    }

    public string Id { get; }
    public string Name { get; }
    public PlaintextKind Kind { get; }

    /// <summary>The header's name, if the secret is a header.</summary>
    public string? Header { get; }

    /// <summary>The path of the file in which the secret lay.</summary>
    public string File { get; }

    /// <summary>The vault it is in now; null if it was not imported.</summary>
    public string? Vault { get; internal init; }

    /// <summary>Whether the plaintext is gone.</summary>
    public bool Removed { get; internal init; }

    /// <summary>Why it was not imported, or not removed; null if both were done.</summary>
    public string? Reason { get; internal init; }

    /// <summary>The name of the server.</summary>
    public override string ToString() => Name;
}

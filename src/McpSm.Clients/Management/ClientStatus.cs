using McpSm.Clients.Catalog;
using McpSm.Clients.Entries;
using McpSm.Core.Errors;

namespace McpSm.Clients.Management;

/// <summary>A file of a client, and the servers in it.</summary>
internal sealed record ClientStatus
{
    public required ClientLocation Location { get; init; }

    public required bool IsInstalled { get; init; }

    /// <summary>Whether the file exists.</summary>
    public required bool Exists { get; init; }

    public IReadOnlyList<ClientEntry> Servers { get; init; } = [];

    /// <summary>Why the file cannot be read; null if it can.</summary>
    public McpAuthException? Error { get; init; }

    public ClientDefinition Client => Location.Client;
}

namespace McpSm.Clients.Entries;

/// <summary>An entry in a client's file, as far as Mcpsm understands it. The secrets are not shown by <see cref="ToString"/>.</summary>
internal sealed class ClientEntry
{
    public required string Name { get; init; }

    public required EntryKind Kind { get; init; }

    /// <summary>The line of the entry in its file, from 1.</summary>
    public int Line { get; init; }

    /// <summary>The URL of a remote server, directly or through mcp-remote.</summary>
    public string? Url { get; init; }

    /// <summary>The server of the catalog, if the entry starts Mcpsm.</summary>
    public string? Server { get; init; }

    /// <summary>The program of the entry; null for a remote server.</summary>
    public string? Command { get; init; }

    public IReadOnlyList<string> Arguments { get; init; } = [];

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The headers that the entry sends, with their values.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether the client speaks HTTP+SSE to the server.</summary>
    public bool IsEventSource { get; init; }

    /// <summary>The names of the headers whose values are secrets in plain text.</summary>
    public IEnumerable<string> SecretHeaders => Headers.Where(header => HeaderSecret.IsPlaintext(header.Key, header.Value)).Select(header => header.Key);

    /// <summary>Whether the entry contains a secret in plain text.</summary>
    public bool HasPlaintextSecret => SecretHeaders.Any() || HeaderSecret.IsInUrl(Url);

    public override string ToString() => $"{Name} ({Kind})";
}

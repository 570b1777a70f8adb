using System.Security.Cryptography.X509Certificates;
using McpSm.Samples;

namespace McpSm.TestServers;

/// <summary>How a <see cref="TestMcpServer"/> starts; most of it can be changed while it runs.</summary>
public sealed record TestMcpServerOptions
{
    /// <summary>Port on 127.0.0.1; 0 for any free one.</summary>
    public int Port { get; init; }

    /// <summary>The origin by which others reach it, such as <c>https://mcp.example</c> behind a proxy; null for its own.</summary>
    public string? Origin { get; init; }

    /// <summary>Path of the MCP endpoint, with its slash.</summary>
    public string Path { get; init; } = "/mcp";

    public X509Certificate2? Certificate { get; init; }

    /// <summary>Lets everyone in.</summary>
    public bool Open { get; init; }

    /// <summary>The scopes named in challenges and needed of tokens that <see cref="Introspect"/> knows.</summary>
    public string Scope { get; init; } = "mcp:tools";

    /// <summary>Bearer tokens that are good, whatever an issuer says.</summary>
    public IReadOnlyList<string> AcceptedTokens { get; init; } = [];

    /// <summary>Issuer identifiers for the resource metadata.</summary>
    public IReadOnlyList<string> Issuers { get; init; } = [];

    /// <summary>Asks about tokens that are not among the accepted ones.</summary>
    public Func<string, AccessTokenInfo?>? Introspect { get; init; }

    /// <summary>Serves metadata at the well-known place with the path behind it.</summary>
    public bool MetadataAtPath { get; init; } = true;

    /// <summary>Serves metadata at the well-known place of the root.</summary>
    public bool MetadataAtRoot { get; init; }
}

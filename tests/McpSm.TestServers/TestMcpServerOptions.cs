using System.Security.Cryptography.X509Certificates;
using McpSm.Samples;

namespace McpSm.TestServers;

/// <summary>The options of a <see cref="TestMcpServer"/>. Most can be changed while it runs.</summary>
public sealed record TestMcpServerOptions
{
    /// <summary>The port on 127.0.0.1; 0 for any free port.</summary>
    public int Port { get; init; }

    /// <summary>The public origin, such as <c>https://mcp.example</c> behind a proxy; null for the loopback address.</summary>
    public string? Origin { get; init; }

    /// <summary>The path of the MCP endpoint, with a leading slash.</summary>
    public string Path { get; init; } = "/mcp";

    public X509Certificate2? Certificate { get; init; }

    /// <summary>Accepts requests without a token.</summary>
    public bool Open { get; init; }

    /// <summary>The scopes in challenges, required of the tokens of <see cref="Introspect"/>.</summary>
    public string Scope { get; init; } = "mcp:tools";

    /// <summary>Bearer tokens that are always accepted.</summary>
    public IReadOnlyList<string> AcceptedTokens { get; init; } = [];

    /// <summary>The issuer identifiers in the resource metadata.</summary>
    public IReadOnlyList<string> Issuers { get; init; } = [];

    /// <summary>Looks up tokens that are not in the accepted ones.</summary>
    public Func<string, AccessTokenInfo?>? Introspect { get; init; }

    /// <summary>Serves metadata at the well-known URL with the path of the endpoint.</summary>
    public bool MetadataAtPath { get; init; } = true;

    /// <summary>Serves metadata at the well-known URL of the root.</summary>
    public bool MetadataAtRoot { get; init; }
}

using System.Security.Cryptography.X509Certificates;

namespace McpSm.Samples;

/// <summary>The options of a <see cref="ProtectedMcpServer"/>.</summary>
public sealed record ProtectedMcpServerOptions
{
    /// <summary>The port on 127.0.0.1; 0 for any free port.</summary>
    public int Port { get; init; }

    /// <summary>The certificate for https; null for plain http.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>The required scopes, separated by spaces.</summary>
    public string Scope { get; init; } = "mcp:tools";

    /// <summary>Names the metadata in challenges; otherwise clients must use the well-known URLs.</summary>
    public bool ResourceMetadataInChallenge { get; init; } = true;

    /// <summary>Accepts only bound tokens with a proof (RFC 9449).</summary>
    public bool RequireDPoP { get; init; }

    /// <summary>Requires the current nonce in each proof.</summary>
    public bool RequireDPoPNonce { get; init; }

    /// <summary>Requires a token. If false, anyone can call the tools.</summary>
    public bool RequireAuthentication { get; init; } = true;
}

using System.Security.Cryptography.X509Certificates;

namespace McpSm.Samples;

/// <summary>How a <see cref="ProtectedMcpServer"/> guards itself.</summary>
public sealed record ProtectedMcpServerOptions
{
    /// <summary>Port on 127.0.0.1; 0 for any free one.</summary>
    public int Port { get; init; }

    /// <summary>Given: the server is reached over https.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>The scopes a token needs, separated by spaces.</summary>
    public string Scope { get; init; } = "mcp:tools";

    /// <summary>Names the metadata in challenges; else clients must look in the well-known places.</summary>
    public bool ResourceMetadataInChallenge { get; init; } = true;

    /// <summary>Takes tokens with proofs of their keys alone (RFC 9449).</summary>
    public bool RequireDPoP { get; init; }

    /// <summary>Wants its nonce in each proof.</summary>
    public bool RequireDPoPNonce { get; init; }

    /// <summary>Off: anyone may call the tools.</summary>
    public bool RequireAuthentication { get; init; } = true;
}

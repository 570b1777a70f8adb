using McpSm.Core.Errors;
using McpSm.Core.Probing;
using McpSm.Core.Servers;

namespace McpSm.Core;

/// <summary>What a server said to an MCP client that connects with its credential.</summary>
public sealed class McpTestResult
{
    private McpTestResult(McpServer server)
    {
        Id = server.Id;
        Name = server.Name;
        Url = server.Url;
    }

    /// <summary>The name of the server.</summary>
    public override string ToString() => Name;

    public string Id { get; }
    public string Name { get; }
    public string Url { get; }
    public bool Success { get; private init; }

    /// <summary>The HTTP status of the last response; null if the server did not respond.</summary>
    public int? StatusCode { get; private init; }

    /// <summary>From the first request to the answered handshake.</summary>
    public TimeSpan? Latency { get; private init; }
    public string? ProtocolVersion { get; private set; }
    public string? ServerName { get; private set; }
    public string? ServerVersion { get; private set; }
    public int? ToolCount { get; private init; }

    /// <summary>The state of the credential after the test.</summary>
    public AuthState State { get; private init; }
    public string? Error { get; private set; }

    /// <summary>The next command, if there is something to correct.</summary>
    public string? Remedy { get; private set; }

    internal ErrorReason? Reason { get; init; }

    /// <summary>The same without these secrets: the server has seen them, and much of this is its word.</summary>
    internal McpTestResult Without(IReadOnlyList<string?> secrets)
    {
        var copy = (McpTestResult)MemberwiseClone();
        copy.ProtocolVersion = UntrustedText.Redact(ProtocolVersion, secrets);
        copy.ServerName = UntrustedText.Redact(ServerName, secrets);
        copy.ServerVersion = UntrustedText.Redact(ServerVersion, secrets);
        copy.Error = UntrustedText.Redact(Error, secrets);
        copy.Remedy = UntrustedText.Redact(Remedy, secrets);
        return copy;
    }

    internal static McpTestResult Create(McpServer server, AuthState state, McpConnectionInfo answer) => new(server)
    {
        Success = true,
        StatusCode = 200,
        Latency = answer.Latency,
        ProtocolVersion = answer.ProtocolVersion,
        ServerName = answer.ServerName,
        ServerVersion = answer.ServerVersion,
        ToolCount = answer.ToolCount,
        State = state,
    };

    internal static McpTestResult Create(McpServer server, AuthState state, RemedyFormatter remedies, McpAuthException failure) => new(server)
    {
        StatusCode = failure.StatusCode,
        State = state,
        Error = failure.Message,
        Remedy = remedies.Format(failure.Remedy),
        Reason = failure.Reason,
    };
}

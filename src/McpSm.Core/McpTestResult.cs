using McpSm.Core.Errors;
using McpSm.Core.Probing;
using McpSm.Core.Servers;

namespace McpSm.Core;

/// <summary>What a server said to an MCP client that connects with its credential.</summary>
public sealed record McpTestResult
{
    /// <summary>The name of the server.</summary>
    public override string ToString() => Name;

    public required string Id { get; init; }
    public required string Name { get; init; }
    public required string Url { get; init; }
    public bool Success { get; init; }

    /// <summary>The HTTP status of the answer that decided; null where none came.</summary>
    public int? StatusCode { get; init; }

    /// <summary>From the first request to the answered handshake.</summary>
    public TimeSpan? Latency { get; init; }
    public string? ProtocolVersion { get; init; }
    public string? ServerName { get; init; }
    public string? ServerVersion { get; init; }
    public int? ToolCount { get; init; }

    /// <summary>How things stand with the credential, by the facts after the test.</summary>
    public AuthState State { get; init; }
    public string? Error { get; init; }

    /// <summary>The exact next command, where there is something to mend.</summary>
    public string? Remedy { get; init; }

    internal ErrorReason? Reason { get; init; }

    /// <summary>The same without these secrets: the server has seen them, and much of this is its word.</summary>
    internal McpTestResult Without(IReadOnlyList<string?> secrets) => this with
    {
        ProtocolVersion = ForeignText.Hide(ProtocolVersion, secrets),
        ServerName = ForeignText.Hide(ServerName, secrets),
        ServerVersion = ForeignText.Hide(ServerVersion, secrets),
        Error = ForeignText.Hide(Error, secrets),
        Remedy = ForeignText.Hide(Remedy, secrets),
    };

    internal static McpTestResult Of(McpServer server, AuthState state, ProbeAnswer answer) => new()
    {
        Id = server.Id,
        Name = server.Name,
        Url = server.Url,
        Success = true,
        StatusCode = 200,
        Latency = answer.Latency,
        ProtocolVersion = answer.ProtocolVersion,
        ServerName = answer.ServerName,
        ServerVersion = answer.ServerVersion,
        ToolCount = answer.ToolCount,
        State = state,
    };

    internal static McpTestResult Of(McpServer server, AuthState state, RemedyFormatter remedies, McpAuthException failure) => new()
    {
        Id = server.Id,
        Name = server.Name,
        Url = server.Url,
        StatusCode = failure.StatusCode,
        State = state,
        Error = failure.Message,
        Remedy = remedies.Format(failure.Remedy),
        Reason = failure.Reason,
    };
}

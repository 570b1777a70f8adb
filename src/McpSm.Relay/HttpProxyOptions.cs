using McpSm.Core;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Relay;

/// <summary>What an <see cref="IHttpProxy"/> serves, and to which callers.</summary>
/// <remarks>Not a record: the text of a record would contain the bearer token.</remarks>
public sealed class HttpProxyOptions
{
    /// <summary>Finds a server by its id; returns null for an unknown id, and the same object until the settings of the server change.</summary>
    public required Func<string, McpServer?> FindServer { get; init; }

    /// <summary>Creates what signs the requests to a server. The proxy disposes it.</summary>
    public required Func<McpServer, AuthenticatingHandler> Connect { get; init; }

    /// <summary>Returns the next command for a person after a failure, or null.</summary>
    public required Func<McpAuthException, McpServer, string?> FindCommand { get; init; }

    /// <summary>The token that callers must send (RFC 6750 section 2.1).</summary>
    public required string Bearer { get; init; }

    /// <summary>The port on loopback; null for any free one.</summary>
    public int? Port { get; init; }

    /// <summary>The origins of web pages that may call (RFC 6454 section 6.2), besides programs.</summary>
    public IReadOnlyCollection<string> AllowedOrigins { get; init; } = [];

    /// <summary>Receives the port, as soon as callers can connect.</summary>
    public required Action<int> Started { get; init; }

    /// <summary>Limits, the clock and the log.</summary>
    public RelayOptions Relay { get; init; } = new();
}

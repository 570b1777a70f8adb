using McpSm.Core.Errors;

namespace McpSm.Relay;

/// <summary>Serves remote MCP servers over HTTP on this machine. Only programs that contain a web server have one.</summary>
public interface IHttpProxy
{
    /// <summary>Serves until the operation is cancelled. A renewal that has begun then ends first.</summary>
    /// <exception cref="McpAuthException">ConfigurationUnavailable: the port is in use.</exception>
    Task RunAsync(HttpProxyOptions options, CancellationToken cancellationToken);
}

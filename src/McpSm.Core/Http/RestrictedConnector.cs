using System.Net;
using System.Net.Sockets;
using McpSm.Core.Errors;
using McpSm.Core.Interruption;
using McpSm.Core.Network;

namespace McpSm.Core.Http;

/// <summary>
/// Opens the connections of an HTTP handler. Resolves a name once, checks the addresses, and connects only to checked addresses, so that a second
/// lookup cannot return others (rule 30 of docs/rules.md).
/// </summary>
internal sealed class RestrictedConnector(UrlPolicy policy, LoopbackBypassProxy proxy)
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Opens a connection.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    /// <exception cref="HttpRequestException">The connection timed out.</exception>
    /// <exception cref="SocketException">The name does not resolve, or the host does not respond.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(policy.Network.Time, ConnectTimeout, cancellationToken);
        var (host, port) = (context.DnsEndPoint.Host.Trim('[', ']'), context.DnsEndPoint.Port);
        // The user chose the proxy, so its address is not checked. The proxy resolves the names of the destinations.
        var isProxy = proxy.WasChosen(context.InitialRequestMessage, host, port);
        try
        {
            var addresses = await ResolveAsync(host, limit.Token).ConfigureAwait(false);
            if (!isProxy)
            {
                addresses = await policy.AllowedAsync(host, addresses).ConfigureAwait(false);
            }
            var (stream, address) = await policy.Network.ConnectAsync(addresses, port, limit.Token).ConfigureAwait(false);
            if (!isProxy)
            {
                policy.Connected(host, address);
            }
            return stream;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, "The connection timed out.");
        }
    }

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (!LoopbackName.Matches(host))
        {
            return await policy.Network.ResolveAsync(host, cancellationToken).ConfigureAwait(false);
        }
        try
        {
            return LoopbackName.Addresses(await policy.Network.ResolveAsync(host, cancellationToken).ConfigureAwait(false));
        }
        catch (SocketException)
        {
            // Most resolvers do not know names under localhost. The loopback addresses are used without them.
            return LoopbackName.Addresses([]);
        }
    }
}

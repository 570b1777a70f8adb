using System.Net;
using System.Net.Sockets;
using McpSm.Core.Errors;
using McpSm.Core.Network;

namespace McpSm.Core.Http;

/// <summary>Opens the connections of a handler: names are resolved once, judged, and only what was judged is connected to (rule 30 of docs/rules.md).</summary>
internal sealed class RestrictedConnector(UrlPolicy policy, LoopbackBypassProxy proxy)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    /// <exception cref="HttpRequestException">The connection timed out.</exception>
    /// <exception cref="SocketException">The name does not resolve, or nothing answers.</exception>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        var (host, port) = (context.DnsEndPoint.Host.Trim('[', ']'), context.DnsEndPoint.Port);
        // The user chose the proxy, and the proxy resolves the names behind it.
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
            // Most resolvers do not know names under localhost, and this machine needs none to be found.
            return LoopbackName.Addresses([]);
        }
    }
}

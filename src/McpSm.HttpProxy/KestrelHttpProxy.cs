using System.Net;
using System.Net.Sockets;
using System.Text;
using McpSm.Relay;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace McpSm.HttpProxy;

/// <summary>Serves the proxy with Kestrel, without a host: there is nothing to configure or to inject.</summary>
public sealed class KestrelHttpProxy : IHttpProxy
{
    private const int MaxConnections = 256;
    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan StopLimit = TimeSpan.FromMilliseconds(500);

    // Bytes a second, and the time without a limit. A suspended client may leave a stream unread for a while.
    private static readonly MinDataRate SlowestRequest = new(240, TimeSpan.FromSeconds(5));
    private static readonly MinDataRate SlowestReader = new(240, TimeSpan.FromSeconds(60));

    public async Task RunAsync(HttpProxyOptions options, CancellationToken cancellationToken)
    {
        var sockets = LoopbackSockets.Bind(options.Port);
        var port = ((IPEndPoint)sockets[0].LocalEndPoint!).Port;
        var routes = new ServerRoutes(options);
        await using var ending = routes.ConfigureAwait(false);
        using var server = new KestrelServer(Options.Create(Configure(sockets, options.Relay.MaxClientMessage)), CreateTransport(sockets),
            NullLoggerFactory.Instance);
        var application = new ProxyApplication(options, port, routes, cancellationToken);
        try
        {
            await server.StartAsync(application, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            // The address was free a moment ago. Kestrel has the error of the socket inside its own.
            throw LoopbackSockets.Explain(port, (e.GetBaseException() as SocketException)?.SocketErrorCode ?? SocketError.AddressAlreadyInUse);
        }
        options.Started(port);
        await Task.Delay(Timeout.InfiniteTimeSpan, options.Relay.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        using var limit = new CancellationTokenSource(StopLimit, options.Relay.Time);
        await server.StopAsync(limit.Token).ConfigureAwait(false);
    }

    private static SocketTransportFactory CreateTransport(IReadOnlyList<Socket> sockets) => new(Options.Create(new SocketTransportOptions
    {
        CreateBoundListenSocket = endpoint => sockets.First(socket => endpoint.Equals(socket.LocalEndPoint)),
    }), NullLoggerFactory.Instance);

    internal static KestrelServerOptions Configure(IReadOnlyList<Socket> sockets, int maxBody)
    {
        var options = new KestrelServerOptions
        {
            AddServerHeader = false,
            // Bytes stay what they are: the other side decides what they mean.
            RequestHeaderEncodingSelector = _ => Encoding.Latin1,
            ResponseHeaderEncodingSelector = _ => Encoding.Latin1,
        };
        options.Limits.MaxConcurrentConnections = MaxConnections;
        options.Limits.MaxRequestBodySize = maxBody;
        options.Limits.RequestHeadersTimeout = HeadersTimeout;
        options.Limits.MinRequestBodyDataRate = SlowestRequest;
        options.Limits.MinResponseDataRate = SlowestReader;
        foreach (var socket in sockets)
        {
            options.Listen((IPEndPoint)socket.LocalEndPoint!, listen => listen.Protocols = HttpProtocols.Http1);
        }
        return options;
    }
}

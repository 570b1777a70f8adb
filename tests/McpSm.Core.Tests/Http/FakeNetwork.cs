using System.Net;
using System.Net.Sockets;
using McpSm.Core.Network;

namespace McpSm.Core.Tests.Http;

/// <summary>A network with its own names and proxy. It connects only to loopback addresses.</summary>
internal sealed class FakeNetwork : NetworkAccess, IWebProxy
{
    /// <summary>The addresses by name.</summary>
    public Dictionary<string, string[]> Names { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>The names that were looked up.</summary>
    public List<string> LookedUp { get; } = [];

    /// <summary>The addresses that were tried.</summary>
    public List<string> Tried { get; } = [];

    /// <summary>The proxy for all URLs, or null without a proxy.</summary>
    public Uri? ProxyUrl { get; set; }

    public ICredentials? Credentials { get; set; }

    public override IWebProxy Proxy => this;

    public Uri? GetProxy(Uri destination) => ProxyUrl;

    public bool IsBypassed(Uri host) => ProxyUrl is null;

    public override Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (IPAddress.TryParse(host, out var literal))
        {
            return Task.FromResult<IPAddress[]>([literal]);
        }
        LookedUp.Add(host);
        return Names.TryGetValue(host, out var addresses) ? Task.FromResult(addresses.Select(IPAddress.Parse).ToArray())
            : Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound));
    }

    /// <summary>Connects to loopback addresses. Other addresses are unreachable, as in foreign networks.</summary>
    public override Task<(Stream Stream, IPAddress Address)> ConnectAsync(IPAddress[] addresses, int port, CancellationToken cancellationToken)
    {
        Tried.AddRange(addresses.Select(a => a.ToString()));
        return addresses.Where(IPAddress.IsLoopback).ToArray() is { Length: > 0 } here ? base.ConnectAsync(here, port, cancellationToken)
            : throw new SocketException((int)SocketError.HostUnreachable);
    }
}

using System.Collections.Concurrent;
using System.Net;

namespace McpSm.Core.Http;

/// <summary>
/// The user's proxy for all hosts except this machine. .NET uses http_proxy also for http://127.0.0.1. That would send plaintext to another machine
/// although plain http is allowed only because it never leaves this machine (rule 27 of docs/rules.md). The class records which proxy it returned for
/// which destination, so that only connections to that proxy count as the user's choice.
/// </summary>
internal sealed class LoopbackBypassProxy(IWebProxy userProxy) : IWebProxy
{
    private readonly ConcurrentDictionary<Choice, bool> _chosen = [];

    public ICredentials? Credentials
    {
        get => userProxy.Credentials;
        set => userProxy.Credentials = value;
    }

    public Uri? GetProxy(Uri destination)
    {
        if (IsBypassed(destination) || userProxy.GetProxy(destination) is not { } proxy)
        {
            return null;
        }
        // The password is in the credentials. .NET includes this URL in exception messages.
        proxy = proxy.UserInfo.Length == 0 ? proxy : new UriBuilder(proxy) { UserName = "", Password = "" }.Uri;
        _chosen[new Choice(Origin(destination), HostAndPort(proxy))] = true;
        return proxy;
    }

    public bool IsBypassed(Uri host) => UrlPolicy.IsLoopbackHost(host.IdnHost) || userProxy.IsBypassed(host);

    /// <summary>Whether a connection that .NET opens for a request goes to the proxy chosen for the request.</summary>
    /// <param name="request">The request, or the CONNECT request for a tunnel. The URL of a CONNECT request is the proxy's.</param>
    /// <param name="host">The host of the connection.</param>
    /// <param name="port">The port of the connection.</param>
    public bool WasChosen(HttpRequestMessage request, string host, int port)
    {
        var connection = (host.ToUpperInvariant(), port);
        return request.RequestUri is { } url && (request.Method == HttpMethod.Connect
            ? HostAndPort(url) == connection && _chosen.Keys.Any(c => c.Proxy == connection)
            : _chosen.ContainsKey(new Choice(Origin(url), connection)));
    }

    private static string Origin(Uri url) => url.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);

    private static (string Host, int Port) HostAndPort(Uri proxy) => (proxy.IdnHost.Trim('[', ']').ToUpperInvariant(), proxy.Port);

    private sealed record Choice(string Destination, (string Host, int Port) Proxy);
}

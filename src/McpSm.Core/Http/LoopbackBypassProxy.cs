using System.Collections.Concurrent;
using System.Net;

namespace McpSm.Core.Http;

/// <summary>
/// The user's proxy, for all but this machine: .NET takes what http_proxy names for http://127.0.0.1 as well, and that
/// would send in the clear to another machine what is allowed in the clear only because it never leaves this one (rule 27 of docs/rules.md).
/// It remembers which proxy it chose for which destination, so that connections to that proxy, and to nothing else, are the user's choice.
/// </summary>
internal sealed class LoopbackBypassProxy(IWebProxy outside) : IWebProxy
{
    private readonly ConcurrentDictionary<Choice, bool> _chosen = [];

    public ICredentials? Credentials
    {
        get => outside.Credentials;
        set => outside.Credentials = value;
    }

    public Uri? GetProxy(Uri destination)
    {
        if (IsBypassed(destination) || outside.GetProxy(destination) is not { } proxy)
        {
            return null;
        }
        // Its password is in the credentials. .NET puts this URL into the messages of its exceptions.
        proxy = proxy.UserInfo.Length == 0 ? proxy : new UriBuilder(proxy) { UserName = "", Password = "" }.Uri;
        _chosen[new Choice(Origin(destination), EndOf(proxy))] = true;
        return proxy;
    }

    public bool IsBypassed(Uri host) => UrlPolicy.IsLoopbackHost(host.IdnHost) || outside.IsBypassed(host);

    /// <summary>Whether a connection that .NET opens for a request goes to the proxy that was chosen for it.</summary>
    /// <param name="request">The request, or the CONNECT that asks the proxy for a tunnel. The URL of that one is the proxy's own.</param>
    public bool WasChosen(HttpRequestMessage request, string host, int port)
    {
        var connection = (host.ToUpperInvariant(), port);
        return request.RequestUri is { } url && (request.Method == HttpMethod.Connect
            ? EndOf(url) == connection && _chosen.Keys.Any(c => c.Proxy == connection)
            : _chosen.ContainsKey(new Choice(Origin(url), connection)));
    }

    private static string Origin(Uri url) => url.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);

    private static (string Host, int Port) EndOf(Uri proxy) => (proxy.IdnHost.Trim('[', ']').ToUpperInvariant(), proxy.Port);

    private sealed record Choice(string Destination, (string Host, int Port) Proxy);
}

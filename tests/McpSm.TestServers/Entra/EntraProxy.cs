using System.Collections.Concurrent;

namespace McpSm.TestServers.Entra;

/// <summary>
/// What HTTPS_PROXY of a real process names: it takes connections to the hosts of Entra ID to a stand-in that is served
/// over https, and refuses all others.
/// </summary>
public sealed class EntraProxy(FakeEntra standIn) : IDisposable
{
    private readonly ForwardProxy _proxy = new((host, port) => port == 443 && FakeEntra.IsHost(host) ? new Uri(standIn.Origin).Port : null);

    public string Url => _proxy.Url;

    /// <summary>The hosts and ports that were connected to, and those that were refused with "!" before them.</summary>
    public ConcurrentQueue<string> Connections => _proxy.Connections;

    public void Dispose() => _proxy.Dispose();
}

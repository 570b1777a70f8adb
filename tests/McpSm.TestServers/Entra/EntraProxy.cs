using System.Collections.Concurrent;

namespace McpSm.TestServers.Entra;

/// <summary>
/// A proxy for the HTTPS_PROXY of a real process. It forwards connections to the hosts of Entra ID to a fake that is served
/// over https, and refuses all others.
/// </summary>
public sealed class EntraProxy(FakeEntra standIn) : IDisposable
{
    private readonly ForwardProxy _proxy = new((host, port) => port == 443 && FakeEntra.IsHost(host) ? new Uri(standIn.Origin).Port : null);

    public string Url => _proxy.Url;

    /// <summary>The hosts and ports of all connections. Refused ones begin with "!".</summary>
    public ConcurrentQueue<string> Connections => _proxy.Connections;

    public void Dispose() => _proxy.Dispose();
}

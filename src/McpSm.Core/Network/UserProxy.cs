using System.Net;

namespace McpSm.Core.Network;

/// <summary>The proxy of the settings for all hosts, except those that are reached without one.</summary>
/// <param name="proxy">The proxy; null for that of the machine.</param>
/// <param name="machine">The proxy of the environment or the system.</param>
/// <param name="noProxy">The hosts to reach without a proxy.</param>
internal sealed class UserProxy(Uri? proxy, IWebProxy machine, NoProxyList noProxy) : IWebProxy
{
    public ICredentials? Credentials
    {
        get => proxy is null ? machine.Credentials : null;
        set => machine.Credentials = value;
    }

    public Uri? GetProxy(Uri destination) => noProxy.Contains(destination) ? null : proxy ?? machine.GetProxy(destination);

    public bool IsBypassed(Uri host) => noProxy.Contains(host) || (proxy is null && machine.IsBypassed(host));
}

using System.Net;

namespace McpSm.Core.Discovery;

/// <summary>
/// The user's proxy, for all but this machine: .NET takes what http_proxy names for http://127.0.0.1 as well, and that
/// would send in the clear to another machine what is allowed in the clear only because it never leaves this one (rule 27).
/// </summary>
internal sealed class OutsideProxy(IWebProxy outside) : IWebProxy
{
    public ICredentials? Credentials
    {
        get => outside.Credentials;
        set => outside.Credentials = value;
    }

    public Uri? GetProxy(Uri destination) => IsBypassed(destination) ? null : outside.GetProxy(destination);

    public bool IsBypassed(Uri host) => UrlPolicy.IsLoopbackHost(host.IdnHost) || outside.IsBypassed(host);
}

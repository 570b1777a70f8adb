using McpSm.Core.Errors;

namespace McpSm.Core.Network;

/// <summary>Reads the address of a proxy.</summary>
internal static class ProxyAddress
{
    private static readonly string[] Schemes = ["http", "https", "socks4", "socks4a", "socks5"];

    /// <param name="text">A URL, or a host with a port, which is an HTTP proxy.</param>
    /// <exception cref="McpAuthException">InvalidValue. The message does not repeat the text, because it may hold a password.</exception>
    public static Uri Parse(string text)
    {
        if (!Uri.TryCreate(text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text, UriKind.Absolute, out var url)
            || !Schemes.Contains(url.Scheme) || url.Host.Length == 0)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, "The proxy is not a URL with the scheme http, https, socks4, socks4a or socks5.",
                "Give it a form such as http://proxy.example.com:3128.");
        }
        if (url.UserInfo.Length > 0)
        {
            throw new McpAuthException(ErrorReason.InvalidValue,
                "The URL of the proxy contains a user name or a password. settings.json must not contain secrets.",
                "Set the URL without them, or set HTTPS_PROXY in the environment of the program that starts Mcpsm.");
        }
        return url.AbsolutePath is "/" or "" && url.Query.Length == 0 && url.Fragment.Length == 0 ? url
            : throw new McpAuthException(ErrorReason.InvalidValue, "The URL of the proxy has more than a scheme, a host and a port.",
                "Give it a form such as http://proxy.example.com:3128.");
    }
}

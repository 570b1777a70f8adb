using McpSm.Core.Http;

namespace McpSm.Core.Discovery;

/// <summary>The server seen as an OAuth protected resource (RFC 8707, RFC 9728).</summary>
public static class ResourceUri
{
    /// <summary>
    /// The server's canonical URI: scheme and host in lower case, no default port, no fragment, no trailing slash.
    /// </summary>
    public static string Canonical(Uri server)
    {
        var text = server.GetComponents(
            UriComponents.SchemeAndServer | UriComponents.PathAndQuery, UriFormat.UriEscaped);
        return server.Query.Length == 0 ? text.TrimEnd('/') : text;
    }

    /// <summary>
    /// Whether what <paramref name="resource"/> names includes the server's URL (rule 7a of docs/rules.md): the same origin, and a
    /// path that is a prefix ending where a segment ends. A resource with a query covers only that very URL.
    /// </summary>
    public static bool Covers(string resource, Uri server)
    {
        if (!UrlPolicy.TryParse(resource, out var covered) || !SameOrigin(covered, server)
            || covered.UserInfo.Length > 0 || covered.Fragment.Length > 0)
        {
            return false;
        }
        if (covered.Query.Length > 0)
        {
            return covered.PathAndQuery == server.PathAndQuery;
        }
        var prefix = covered.AbsolutePath.TrimEnd('/');
        var path = server.AbsolutePath;
        return path.StartsWith(prefix, StringComparison.Ordinal)
            && (path.Length == prefix.Length || path[prefix.Length] == '/');
    }

    public static bool SameOrigin(Uri a, Uri b) =>
        a.Scheme == b.Scheme && a.Port == b.Port && a.IdnHost.Equals(b.IdnHost, StringComparison.OrdinalIgnoreCase);
}

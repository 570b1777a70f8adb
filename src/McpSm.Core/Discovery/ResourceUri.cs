using McpSm.Core.Http;

namespace McpSm.Core.Discovery;

/// <summary>The server as an OAuth protected resource (RFC 8707, RFC 9728).</summary>
internal static class ResourceUri
{
    /// <summary>
    /// Returns the canonical URI of the server: scheme and host in lower case, without default port, fragment and trailing slash.
    /// </summary>
    public static string Canonical(Uri server)
    {
        var text = server.GetComponents(
            UriComponents.SchemeAndServer | UriComponents.PathAndQuery, UriFormat.UriEscaped);
        return server.Query.Length == 0 ? text.TrimEnd('/') : text;
    }

    /// <summary>
    /// Whether the resource includes the server's URL (rule 7a of docs/rules.md): it has the same origin, and its path is a prefix that ends at a
    /// segment boundary. A resource with a query covers only exactly that URL.
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

using McpSm.Core.Errors;
using McpSm.Core.Http;
using McpSm.Core.Servers;

namespace McpSm.Core.Management.McpRemote;

/// <summary>Makes a server of an entry of <c>mcp-remote</c>.</summary>
internal static class McpRemoteServer
{
    /// <param name="entry">The entry.</param>
    /// <param name="all">The servers whose names are taken.</param>
    /// <param name="warn">Receives what the server does not have of the entry. It names headers, and never their values.</param>
    public static ServerUpdate Create(McpRemoteEntry entry, IReadOnlyList<McpServer> all, Action<string> warn)
    {
        var isSecure = UrlPolicy.TryParse(entry.Url, out var url) && UrlPolicy.IsSecure(url);
        var headers = isSecure ? ReadHeaders(entry, warn) : new Dictionary<string, string>();
        if (!isSecure && entry.Headers.Count > 0)
        {
            warn($"The headers of '{UntrustedText.Sanitize(entry.Name)}' were left: its URL is plain http to another machine.");
        }
        headers.Remove("Authorization", out var authorization);
        return new ServerUpdate
        {
            Name = FreeName(entry, all),
            Url = entry.Url,
            Transport = entry.Transport?.StartsWith("sse", StringComparison.Ordinal) == true ? McpTransport.Sse : McpTransport.Http,
            Fallback = entry.Transport is "sse-first" ? true : entry.Transport is "http-only" ? false : null,
            ClientId = entry.ClientId,
            ClientSecret = isSecure && entry.ClientId is not null ? entry.ClientSecret : null,
            Scopes = entry.Scope?.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            ClientMetadataUrl = entry.ClientMetadataUrl,
            Resource = entry.OmitsResource ? ResourceParameter.None : entry.Resource,
            AuthorizeParams = entry.AuthorizeParams.Count == 0 ? null : entry.AuthorizeParams,
            IgnoreTools = entry.IgnoreTools.Count == 0 ? null : entry.IgnoreTools,
            Headers = headers.Count == 0 ? null : headers,
            Token = authorization is null ? null : Token(entry, authorization, warn),
        };
    }

    private static Dictionary<string, string> ReadHeaders(McpRemoteEntry entry, Action<string> warn)
    {
        var headers = new Dictionary<string, string>(entry.Expanded(out var missing), StringComparer.OrdinalIgnoreCase);
        foreach (var name in missing)
        {
            warn($"The header '{name}' of '{UntrustedText.Sanitize(entry.Name)}' was left: its variable is not in the configuration of the client.");
        }
        return headers;
    }

    private static string? Token(McpRemoteEntry entry, string authorization, Action<string> warn)
    {
        const string scheme = "Bearer ";
        if (authorization.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
        {
            return authorization[scheme.Length..].Trim();
        }
        warn($"The Authorization header of '{UntrustedText.Sanitize(entry.Name)}' was left: it is not a bearer token. "
            + "The relay can send it, if the client gives it the header.");
        return null;
    }

    private static string FreeName(McpRemoteEntry entry, IReadOnlyList<McpServer> all)
    {
        var name = IsValid(entry.Name) ? entry.Name! : UrlPolicy.TryParse(entry.Url, out var url) ? url.Host.Replace('.', '-') : "mcp-remote";
        var free = name;
        for (var number = 1; all.Any(server => ServerCatalog.HasName(server, free)); number++)
        {
            free = ServerName.Numbered(name, number);
        }
        return free;
    }

    private static bool IsValid(string? name)
    {
        try
        {
            return ServerName.ToSlug(name).Length > 0;
        }
        catch (McpAuthException)
        {
            // Clients take names that Mcpsm reserves, such as 'status'.
            return false;
        }
    }
}

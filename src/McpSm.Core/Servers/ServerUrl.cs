using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Servers;

/// <summary>URLs that a remote server can have.</summary>
public static class ServerUrl
{
    /// <exception cref="McpAuthException">InvalidServerUrl.</exception>
    public static Uri Parse(string? url)
    {
        if (string.IsNullOrWhiteSpace(url))
        {
            throw Invalid("a server needs a URL");
        }
        if (!UrlPolicy.TryParse(url.Trim(), out var uri) || uri.Host.Length == 0)
        {
            throw Invalid("that is not an absolute URL");
        }
        if (uri.Scheme is not ("http" or "https"))
        {
            throw Invalid($"the scheme must be https or http, not '{UntrustedText.Sanitize(uri.Scheme)}'");
        }
        if (uri.UserInfo.Length > 0)
        {
            throw Invalid("it must not carry a user name or password", new SetTokenStep(ServerReference.Unknown));
        }
        if (uri.Fragment.Length > 0)
        {
            throw Invalid("it must not have a fragment ('#…')");
        }
        if (uri.IdnHost.Contains('%'))
        {
            throw Invalid("its address has a zone ('%…'), which means nothing to an issuer");
        }
        return uri;
    }

    /// <summary>The issuer that the user pinned.</summary>
    /// <exception cref="McpAuthException">InvalidServerUrl.</exception>
    public static Uri ParseIssuer(McpServer server) => UrlPolicy.TryParse(server.Issuer, out var uri) && uri.Scheme is "http" or "https" ? uri
        : throw new McpAuthException(ErrorReason.InvalidServerUrl, $"The issuer set for '{server.Name}' is not an absolute http(s) URL.",
            new UpdateServerStep(server, StepOptionKind.Issuer))
        { Server = server.Name };

    /// <summary>Refuses to send a credential in the clear (rule 27).</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public static void RequireSecure(McpServer server)
    {
        if (!UrlPolicy.IsSecure(server.Uri))
        {
            throw new McpAuthException(ErrorReason.UnsafeEndpoint,
                $"No credential is sent to '{server.Name}': its URL is plain http to another machine.",
                new UpdateServerStep(server, new StepOption(StepOptionKind.Url) { Template = "https://…" }))
            { Server = server.Name };
        }
    }

    /// <summary>Refuses a request that leads out of the server.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public static void RequireCovered(McpServer server, Uri uri)
    {
        // The path too: on one host there may be servers of several owners (rule 22 of docs/rules.md).
        if (server.Transport == McpTransport.Sse ? !ResourceUri.SameOrigin(uri, server.Uri)
            : !ResourceUri.Covers(server.Uri.GetLeftPart(UriPartial.Path), uri))
        {
            throw new McpAuthException(ErrorReason.UnsafeEndpoint,
                $"The request leads out of '{server.Name}', whose credential goes nowhere else.")
            { Server = server.Name };
        }
    }

    // The URL itself is not repeated: it may be the very thing that carries a password.
    private static McpAuthException Invalid(string why, Remedy? remedy = null) => new(ErrorReason.InvalidServerUrl,
        $"The server's URL cannot be used: {why}.", "Give one like https://example.com/mcp");
}

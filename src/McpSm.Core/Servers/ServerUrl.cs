using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;

namespace McpSm.Core.Servers;

/// <summary>Validates the URLs of remote servers.</summary>
internal static class ServerUrl
{
    /// <summary>Parses and validates the URL of a server.</summary>
    /// <exception cref="McpAuthException">InvalidServerUrl.</exception>
    public static Uri Parse(string? url)
    {
        if (string.IsNullOrWhiteSpace(url))
        {
            throw Invalid("the URL is empty");
        }
        if (!UrlPolicy.TryParse(url.Trim(), out var uri) || uri.Host.Length == 0)
        {
            throw Invalid("it is not an absolute URL");
        }
        if (uri.Scheme is not ("http" or "https"))
        {
            throw Invalid($"the scheme must be https or http, not '{UntrustedText.Sanitize(uri.Scheme)}'");
        }
        if (uri.UserInfo.Length > 0)
        {
            throw Invalid("it must not contain a user name or password", new SetTokenStep(ServerReference.Unknown));
        }
        if (uri.Fragment.Length > 0)
        {
            throw Invalid("it must not have a fragment ('#…')");
        }
        if (uri.IdnHost.Contains('%'))
        {
            throw Invalid("its address has a zone ('%…'), which is only valid on this machine");
        }
        return uri;
    }

    /// <summary>Returns the issuer that the user has pinned.</summary>
    /// <exception cref="McpAuthException">InvalidServerUrl.</exception>
    public static Uri ParseIssuer(McpServer server) => UrlPolicy.TryParse(server.Issuer, out var uri) && uri.Scheme is "http" or "https" ? uri
        : throw new McpAuthException(ErrorReason.InvalidServerUrl, $"The issuer of '{server.Name}' is not an absolute http(s) URL.",
            new UpdateServerStep(server, StepOptionKind.Issuer))
        { Server = server.Name };

    /// <summary>Fails if a credential would be sent unencrypted (rule 27).</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public static void RequireSecure(McpServer server)
    {
        if (!UrlPolicy.IsSecure(server.Uri))
        {
            throw new McpAuthException(ErrorReason.UnsafeEndpoint,
                $"Mcpsm does not send a credential to '{server.Name}', because its URL is plain http to another machine.",
                new UpdateServerStep(server, new StepOption(StepOptionKind.Url) { Template = "https://…" }))
            { Server = server.Name };
        }
    }

    /// <summary>Fails if a request goes to a URL outside the server.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public static void RequireCovered(McpServer server, Uri uri)
    {
        // Also compares the path: one host may have servers of several owners (rule 22 of docs/rules.md).
        if (server.Transport == McpTransport.Sse ? !ResourceUri.SameOrigin(uri, server.Uri)
            : !ResourceUri.Covers(server.Uri.GetLeftPart(UriPartial.Path), uri))
        {
            throw new McpAuthException(ErrorReason.UnsafeEndpoint,
                $"The request URL is outside the server '{server.Name}'. Mcpsm sends the credential only to that server.")
            { Server = server.Name };
        }
    }

    // The message does not repeat the URL, because the URL may contain a password.
    private static McpAuthException Invalid(string reason, Remedy? remedy = null) => new(ErrorReason.InvalidServerUrl,
        $"The server's URL is invalid: {reason}.", remedy ?? "Use a URL such as https://example.com/mcp");
}

using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using McpSm.Core.Errors;
using McpSm.Relay;
using McpSm.Relay.Messages;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace McpSm.HttpProxy;

/// <summary>
/// Decides who may call. Web pages can reach loopback, also with a name of their own that resolves to it (DNS rebinding), so that the address of the
/// connection says nothing.
/// </summary>
internal sealed class RequestGate
{
    private const string Scheme = "Bearer ";

    private readonly HashSet<string> _hosts;
    private readonly HashSet<string> _origins;
    private readonly byte[] _bearerHash;

    public RequestGate(HttpProxyOptions options, int port)
    {
        _hosts = new(((string[])["127.0.0.1", "[::1]", "localhost"]).Select(host => string.Create(CultureInfo.InvariantCulture, $"{host}:{port}")),
            StringComparer.OrdinalIgnoreCase);
        _origins = new(options.AllowedOrigins, StringComparer.Ordinal);
        _bearerHash = SHA256.HashData(Encoding.UTF8.GetBytes(options.Bearer));
    }

    /// <summary>Checks where a request is for and where it is from, before anything in it is used.</summary>
    /// <returns>Why the request is refused; null if it is not.</returns>
    public Refusal? CheckOrigin(HttpRequest request)
    {
        if (!_hosts.Contains(request.Headers.Host.ToString()))
        {
            return Forbid("The Host header of the request is not an address of this machine.");
        }
        return request.Headers.Origin.Count > 0 && !IsAllowed(request)
            ? Forbid("A web page may not call. To allow its origin, start 'mcpsm proxy' with --allow-origin.") : null;
    }

    /// <summary>Whether the request is from a web page that may call.</summary>
    public bool IsAllowed(HttpRequest request) => request.Headers.Origin is [{ } origin] && _origins.Contains(origin);

    /// <summary>Whether the request has the bearer token. The time does not depend on how much of the token is right.</summary>
    public bool IsAuthorized(HttpRequest request)
    {
        if (request.Headers.Authorization is not [{ } header] || !header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(header[Scheme.Length..].Trim(' ')), hash);
        return CryptographicOperations.FixedTimeEquals(hash, _bearerHash);
    }

    /// <summary>
    /// Answers the request that a browser sends before the request of a page (Fetch Standard, CORS-preflight). Only pages of an allowed origin get
    /// permission.
    /// </summary>
    /// <returns>Whether the page may call.</returns>
    public bool TryAnswerPreflight(HttpContext context)
    {
        if (!IsAllowed(context.Request))
        {
            return false;
        }
        var headers = context.Response.Headers;
        headers.AccessControlAllowMethods = "POST, GET, DELETE";
        // An authorization header must be named: a wildcard does not include it.
        headers.AccessControlAllowHeaders = string.Join(", ", context.Request.Headers.AccessControlRequestHeaders
            .SelectMany(value => (value ?? "").Split(',')).Select(name => name.Trim())
            .Where(name => ProxiedHeaders.IsForwarded(name) || name.Equals(HeaderNames.Authorization, StringComparison.OrdinalIgnoreCase)));
        if (context.Request.Headers["Access-Control-Request-Private-Network"] == "true")
        {
            headers["Access-Control-Allow-Private-Network"] = "true";
        }
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return true;
    }

    /// <summary>Lets a page of an allowed origin read the answer.</summary>
    public void AllowReading(HttpContext context)
    {
        if (_origins.Count == 0)
        {
            return;
        }
        context.Response.Headers.Vary = HeaderNames.Origin;
        if (IsAllowed(context.Request))
        {
            context.Response.Headers.AccessControlAllowOrigin = context.Request.Headers.Origin;
            context.Response.Headers.AccessControlExposeHeaders = "Mcp-Session-Id, MCP-Protocol-Version, Retry-After, WWW-Authenticate";
        }
    }

    private static Refusal Forbid(string text) =>
        new(StatusCodes.Status403Forbidden, new RelayFailure(StatusCodes.Status403Forbidden, nameof(ErrorReason.UnsafeEndpoint), text));
}

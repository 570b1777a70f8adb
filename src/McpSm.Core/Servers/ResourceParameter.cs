using McpSm.Core.Errors;
using McpSm.Core.Http;

namespace McpSm.Core.Servers;

/// <summary>
/// The <c>resource</c> parameter of requests to an issuer (RFC 8707 section 2). MCP asks for the resource of the server. Some issuers refuse the
/// parameter, and others know the server by another URI, so the user can choose.
/// </summary>
internal static class ResourceParameter
{
    /// <summary>The setting of a server whose issuer gets no <c>resource</c>.</summary>
    public const string None = "none";

    private const int MaxLength = 2048;

    /// <summary>Returns the value to send; null to send none.</summary>
    /// <param name="server">The server with the choice of the user.</param>
    /// <param name="resource">The resource that the server names.</param>
    public static string? For(McpServer server, string resource) => server.Resource switch
    {
        null => resource,
        None => null,
        var chosen => chosen,
    };

    /// <summary>Rejects a value that no issuer can accept.</summary>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    public static void Check(string? resource)
    {
        if (resource?.Trim() is not { Length: > 0 } value || value == None)
        {
            return;
        }
        if (value.Length > MaxLength || !UrlPolicy.TryParse(value, out var uri) || uri.Fragment.Length > 0 || !value.Contains(':'))
        {
            throw new McpAuthException(ErrorReason.InvalidValue,
                "The resource must be an absolute URI without a fragment (RFC 8707), or 'none'.");
        }
    }
}

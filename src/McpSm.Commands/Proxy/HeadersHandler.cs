using System.Net;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Commands.Proxy;

/// <summary>Adds the headers of the command line to requests for the server. Headers of the protocol stay what they are.</summary>
internal sealed class HeadersHandler(McpServer server, IReadOnlyDictionary<string, string> headers, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    public static bool IsAuthorization(string name) => name.Equals("Authorization", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="McpAuthException">UnsafeEndpoint. TokenRejected: the server refuses the credential of the command line.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ServerUrl.RequireCovered(server, request.RequestUri!);
        foreach (var (name, value) in headers.Where(header => !request.Headers.Contains(header.Key)))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.Unauthorized && headers.Keys.Any(IsAuthorization))
        {
            response.Dispose();
            throw new McpAuthException(ErrorReason.TokenRejected, $"'{server.Name}' refused the Authorization header of the command line.",
                "Give another value, or omit the header and sign in.")
            { Server = server.Name, StatusCode = (int)HttpStatusCode.Unauthorized };
        }
        return response;
    }
}

using System.Net;
using McpSm.Core.Interruption;

namespace McpSm.Core.Grants;

/// <summary>
/// Marks each token request of a library that polls as an exchange. The exchange continues after the response that has the token, until
/// the token is stored.
/// </summary>
internal sealed class ExchangingHandler(TokenExchange exchange, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (request.Method != HttpMethod.Post)
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        exchange.Begin();
        try
        {
            var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode != HttpStatusCode.OK || request.RequestUri?.AbsolutePath.EndsWith("/token", StringComparison.OrdinalIgnoreCase) != true)
            {
                exchange.Complete();
            }
            return response;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            exchange.Complete();
            throw;
        }
    }
}

using System.Net;
using System.Net.Http.Headers;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Relay.Http;

/// <summary>Sends the requests of a relay. The handler below signs them.</summary>
internal sealed class ServerConnection(HttpMessageInvoker http, McpServer server, RelayOptions options)
{
    private const int MaxRedirects = 5;
    private const int MaxFirstBuffer = 16 * 1024 * 1024;
    private static readonly TimeSpan UsualRetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>The name of the server, for messages.</summary>
    public string Server => server.Name;

    public RelayOptions Options => options;

    /// <summary>
    /// Sends a request. Redirects are followed within the origin of the server only. A server that is busy is asked again as its
    /// <c>Retry-After</c> says.
    /// </summary>
    /// <param name="url">The URL.</param>
    /// <param name="create">Makes the request for a URL; each attempt needs a new one.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The response, of which only the headers are read.</returns>
    /// <exception cref="McpAuthException">The reasons of the handler.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached.</exception>
    public async Task<HttpResponseMessage> SendAsync(Uri url, Func<Uri, HttpRequestMessage> create, CancellationToken cancellationToken)
    {
        var redirects = 0;
        var waited = TimeSpan.Zero;
        while (true)
        {
            var request = create(url);
            // Over TLS, one connection carries all streams, and its pings notice that it broke. Plain http stays at HTTP/1.1.
            (request.Version, request.VersionPolicy) = (HttpVersion.Version20, HttpVersionPolicy.RequestVersionOrLower);
            var began = options.Time.GetTimestamp();
            var response = await http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            var took = options.Time.GetElapsedTime(began);
            options.Log?.Invoke($"{request.Method} {url.AbsolutePath}: {(int)response.StatusCode} in {took.TotalMilliseconds:0} ms");
            if (FindRedirect(response, url, request.Method) is { } target && redirects++ < MaxRedirects)
            {
                response.Dispose();
                url = target;
            }
            else if (response.StatusCode is HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable
                && RetryAfter(response) is var delay && waited + delay <= options.MaxRetryAfter)
            {
                response.Dispose();
                waited += delay;
                await Task.Delay(delay, options.Time, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                try
                {
                    RequireAuthenticated(response);
                }
                catch (McpAuthException)
                {
                    response.Dispose();
                    throw;
                }
                return response;
            }
        }
    }

    /// <summary>Refuses an answer that asks for a credential which a person has to provide.</summary>
    /// <exception cref="McpAuthException">AuthenticationRequired, InsufficientScope.</exception>
    private void RequireAuthenticated(HttpResponseMessage response)
    {
        if (response.StatusCode == HttpStatusCode.Unauthorized)
        {
            throw new McpAuthException(ErrorReason.AuthenticationRequired, $"You are not signed in to '{server.Name}'.",
                CredentialRemedy.ForNewCredential(server))
            { Server = server.Name, StatusCode = 401 };
        }
        if (response.StatusCode == HttpStatusCode.Forbidden && response.Headers.WwwAuthenticate.Count > 0)
        {
            throw new McpAuthException(ErrorReason.InsufficientScope, $"'{server.Name}' requires more rights than your sign-in gave.",
                CredentialRemedy.ForNewCredential(server))
            { Server = server.Name, StatusCode = 403 };
        }
    }

    /// <summary>Reads a body of at most <see cref="RelayOptions.MaxServerMessage"/> bytes.</summary>
    /// <exception cref="MessageTooLargeException">It is larger.</exception>
    public async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using var closing = stream.ConfigureAwait(false);
        // Of the right size at once, if the server says it. A server that lies about it gets no more than this.
        using var body = new MemoryStream((int)Math.Clamp(response.Content.Headers.ContentLength ?? 0, 0, Math.Min(options.MaxServerMessage, MaxFirstBuffer)));
        var buffer = new byte[81920];
        while (await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is > 0 and var read)
        {
            if (body.Length + read > options.MaxServerMessage)
            {
                throw new MessageTooLargeException(options.MaxServerMessage);
            }
            body.Write(buffer, 0, read);
        }
        return body.Length == body.Capacity ? body.GetBuffer() : body.ToArray();
    }

    /// <summary>Returns where a response redirects to, if that is the same origin; null otherwise.</summary>
    internal static Uri? FindRedirect(HttpResponseMessage response, Uri url, HttpMethod method)
    {
        // 301, 302 and 303 would turn a POST into a GET.
        var isRedirect = response.StatusCode is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
            || (method == HttpMethod.Get && response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther);
        return isRedirect && response.Headers.Location is { } location && new Uri(url, location) is var target
            && Uri.Compare(url, target, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0 ? target : null;
    }

    private TimeSpan RetryAfter(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        RetryConditionHeaderValue { Delta: { } delta } => delta,
        RetryConditionHeaderValue { Date: { } date } => date - options.Time.GetUtcNow() is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero,
        _ => UsualRetryAfter,
    };
}

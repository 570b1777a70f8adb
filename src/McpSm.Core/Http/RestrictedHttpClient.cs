using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;

namespace McpSm.Core.Http;

/// <summary>
/// HTTP as this program speaks it with servers and issuers: every URL passes the policy, names are resolved before
/// they are judged, nothing redirects by itself, and time and size are bounded (rule 30 of docs/rules.md).
/// </summary>
public sealed class RestrictedHttpClient : IDisposable
{
    /// <summary>The longest a request may take from its start to the last byte of its answer.</summary>
    public static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(15);

    /// <summary>The largest answer that is read, in bytes.</summary>
    public const int SizeLimit = 1024 * 1024;

    // In KiB.
    private const int HeaderLimit = 64;

    private const int MaxRedirects = 5;

    private static readonly HttpRequestOptionsKey<bool> HeadersOnly = new("headers-only");

    private readonly UrlPolicy _policy;
    private readonly HttpClient _client;

    /// <param name="progress">Is told of every exchange.</param>
    /// <param name="transport">What carries the requests; sockets where null.</param>
    public RestrictedHttpClient(UrlPolicy policy, IProgress<string>? progress = null, TimeSpan? timeLimit = null, HttpMessageHandler? transport = null)
    {
        _policy = policy;
        var bounded = new BoundedHandler(policy, timeLimit ?? TimeLimit) { InnerHandler = transport ?? NewSocketsHandler(policy) };
        _client = new HttpClient(progress is null ? bounded : new TellingHandler(progress) { InnerHandler = bounded })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("Mcpsm", ProductInfo.Version));
    }

    /// <summary>For the requests of a protocol library: bounded, without redirects.</summary>
    public HttpClient Protocol => _client;

    /// <summary>A discovered endpoint for <see cref="Protocol"/>: such libraries throw at what is no URL.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public string Endpoint(string url, string what) => _policy.Check(url, what).OriginalString;

    /// <summary>A handler without cookies, redirects or decompression, that connects only where the policy lets it.</summary>
    public static SocketsHttpHandler NewSocketsHandler(UrlPolicy policy)
    {
        var proxy = new LoopbackBypassProxy(policy.Network.Proxy);
        return new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            Proxy = proxy,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = HeaderLimit,
            ConnectCallback = new RestrictedConnector(policy, proxy).ConnectAsync,
        };
    }

    /// <summary>GETs a document of an issuer or server; redirects are followed, each hop checked anew.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint, ServerUnreachable, MetadataInvalid.</exception>
    public async Task<HttpDocument> GetAsync(string url, string what, CancellationToken cancellationToken)
    {
        var uri = _policy.Check(url, what);
        for (var hop = 0; hop <= MaxRedirects; hop++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, uri);
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
            using var response = await _client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            if (response.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found
                or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
                || UrlPolicy.Target(response, uri) is not { } target)
            {
                var body = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
                return new HttpDocument((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, body);
            }
            uri = _policy.Check(target.AbsoluteUri, what + " (redirected)");
        }
        throw new McpAuthException(ErrorReason.MetadataInvalid, $"{what} redirects more than {MaxRedirects} times.");
    }

    /// <summary>Sends a request and gives back status and headers; the body, perhaps an endless stream, is dropped.</summary>
    public async Task<HttpResponseMessage> SendForHeadersAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Options.Set(HeadersOnly, true);
        return await _client.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Bounds one exchange and turns its failures into ours, without a word of the other side's.</summary>
    private sealed class BoundedHandler(UrlPolicy policy, TimeSpan timeLimit) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request,
            CancellationToken cancellationToken)
        {
            var uri = policy.Check(request.RequestUri?.OriginalString, "The URL");
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(timeLimit);
            try
            {
                var response = await base.SendAsync(request, limit.Token).ConfigureAwait(false);
                DPoPNonceCache.Remember(uri, response);
                var body = request.Options.TryGetValue(HeadersOnly, out var only) && only
                    ? [] : await ReadAsync(response, request, uri, limit.Token).ConfigureAwait(false);
                var content = new ByteArrayContent(body);
                // Without its charset: JSON is UTF-8 (RFC 8259 section 8.1), and .NET throws at charsets that it does not know, such as utf8.
                content.Headers.ContentType = response.Content.Headers.ContentType?.MediaType is { } type ? new MediaTypeHeaderValue(type) : null;
                response.Content.Dispose();
                response.Content = content;
                return response;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new McpAuthException(ErrorReason.ServerUnreachable,
                    $"{Origin(uri)} did not answer within {timeLimit.TotalSeconds:0} seconds.",
                    "Check the URL and the network, then try again.")
                { OutcomeUnknown = true };
            }
            catch (HttpRequestException e) when (e.InnerException is McpAuthException refused)
            {
                throw refused;
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                throw Unreachable(uri, e);
            }
        }

        private static async Task<byte[]> ReadAsync(HttpResponseMessage response, HttpRequestMessage request, Uri uri,
            CancellationToken cancellationToken)
        {
            using var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            using var body = new MemoryStream();
            var buffer = new byte[16 * 1024];
            int read;
            while ((read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                if (body.Length + read > SizeLimit)
                {
                    // Documents are read with GET; whoever is sent something answers with tokens, or a client.
                    throw new McpAuthException(request.Method == HttpMethod.Get ? ErrorReason.MetadataInvalid : ErrorReason.TokenResponseInvalid,
                        $"{Origin(uri)} answered with more than {SizeLimit / 1024 / 1024} MiB.")
                    { OutcomeUnknown = true };
                }
                body.Write(buffer, 0, read);
            }
            return body.ToArray();
        }
    }

    /// <summary>Says what was asked and how that ended, without queries, headers or bodies: those hold secrets.</summary>
    private sealed class TellingHandler(IProgress<string> progress) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var what = $"{request.Method} {UntrustedText.Sanitize(request.RequestUri?.GetLeftPart(UriPartial.Path))}";
            var began = Stopwatch.GetTimestamp();
            try
            {
                var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
                progress.Report($"{what}: {(int)response.StatusCode} ({Stopwatch.GetElapsedTime(began).TotalMilliseconds:0} ms)");
                return response;
            }
            catch (McpAuthException e)
            {
                progress.Report($"{what}: {e.Message}");
                throw;
            }
        }
    }

    internal static McpAuthException Unreachable(Uri uri, Exception e)
    {
        var error = (e as HttpRequestException)?.HttpRequestError ?? HttpRequestError.Unknown;
        if (error == HttpRequestError.ConfigurationLimitExceeded)
        {
            return new McpAuthException(ErrorReason.ProtocolViolation, $"{Origin(uri)} answered with more than {HeaderLimit} KiB of headers.",
                "Tell whoever runs it.", e)
            { OutcomeUnknown = true };
        }
        var why = error switch
        {
            HttpRequestError.NameResolutionError => "its name does not resolve",
            HttpRequestError.ConnectionError => "nothing answers there",
            HttpRequestError.SecureConnectionError => "no trusted TLS connection can be made",
            HttpRequestError.ProxyTunnelError => "the proxy does not let the connection through",
            HttpRequestError.ResponseEnded => "the connection ended before the answer did",
            _ => "the connection failed",
        };
        return new McpAuthException(ErrorReason.ServerUnreachable, $"Cannot reach {Origin(uri)}: {why}.",
            "Check the URL and the network, then try again.", e)
        {
            OutcomeUnknown = error is not (HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError),
        };
    }

    private static string Origin(Uri uri) => UntrustedText.WithAsciiHost(uri).GetLeftPart(UriPartial.Authority);
}

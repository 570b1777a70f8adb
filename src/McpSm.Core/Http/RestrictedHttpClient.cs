using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Interruption;

namespace McpSm.Core.Http;

/// <summary>
/// The HTTP client for servers and issuers. It checks every URL and every resolved address, does not follow redirects automatically, and limits time
/// and size (rule 30 of docs/rules.md).
/// </summary>
internal sealed class RestrictedHttpClient : IDisposable
{
    /// <summary>The time limit for a request, from its start to the last byte of the response.</summary>
    public static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(15);

    /// <summary>The maximum size of a response body, in bytes.</summary>
    public const int SizeLimit = 1024 * 1024;

    // In KiB.
    private const int MaxHeaderKiB = 64;

    private const int MaxRedirects = 5;

    // An idle HTTP/2 connection with a stream on it is tested so often (RFC 9113 section 6.7).
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(30);

    private static readonly HttpRequestOptionsKey<bool> HeadersOnly = new("headers-only");

    private readonly UrlPolicy _policy;
    private readonly HttpClient _client;

    /// <summary>Creates a client.</summary>
    /// <param name="policy">Which URLs may be visited.</param>
    /// <param name="progress">Receives a line for each request.</param>
    /// <param name="timeLimit">The time limit for a request; null for <see cref="TimeLimit"/>.</param>
    /// <param name="transport">The transport; null for sockets.</param>
    public RestrictedHttpClient(UrlPolicy policy, IProgress<string>? progress = null, TimeSpan? timeLimit = null, HttpMessageHandler? transport = null)
    {
        _policy = policy;
        var bounded = new BoundedHandler(policy, timeLimit ?? TimeLimit) { InnerHandler = transport ?? NewSocketsHandler(policy) };
        _client = new HttpClient(progress is null ? bounded : new ProgressHandler(progress, Time) { InnerHandler = bounded })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("Mcpsm", ProductInfo.Version));
    }

    /// <summary>The clock of time limits.</summary>
    public TimeProvider Time => _policy.Network.Time;

    /// <summary>The client for a protocol library: limited, and without redirects.</summary>
    public HttpClient Protocol => _client;

    /// <summary>Checks a discovered endpoint for <see cref="Protocol"/>, because such libraries throw other exceptions for an invalid URL.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint.</exception>
    public string Endpoint(string url, string what) => _policy.Check(url, what).OriginalString;

    /// <summary>Creates a handler without cookies, redirects and decompression that connects only to addresses that the policy allows.</summary>
    public static SocketsHttpHandler NewSocketsHandler(UrlPolicy policy)
    {
        var proxy = new LoopbackBypassProxy(policy.Network.Proxy);
        var trust = new AdditionalTrust(policy.Network);
        return new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            Proxy = proxy,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseHeadersLength = MaxHeaderKiB,
            ConnectCallback = new RestrictedConnector(policy, proxy).ConnectAsync,
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = PingDelay,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, chain, errors) => trust.Validate(certificate, chain, errors),
            },
        };
    }

    /// <summary>Gets a document from an issuer or server. Follows redirects and checks each hop.</summary>
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

    /// <summary>Sends a request and returns status and headers. The body is not read, because it may be an endless stream.</summary>
    public async Task<HttpResponseMessage> SendForHeadersAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Options.Set(HeadersOnly, true);
        return await _client.SendAsync(request, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _client.Dispose();

    /// <summary>Limits one request, and maps its failures to our exceptions without text from the server.</summary>
    private sealed class BoundedHandler(UrlPolicy policy, TimeSpan timeLimit) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request,
            CancellationToken cancellationToken)
        {
            var uri = policy.Check(request.RequestUri?.OriginalString, "The URL");
            using var limit = new TimeLimit(policy.Network.Time, timeLimit, cancellationToken);
            try
            {
                var response = await base.SendAsync(request, limit.Token).ConfigureAwait(false);
                DPoPNonceCache.Remember(uri, response);
                // RFC 9110 section 6.6.1: the recipient records the time of a response without a date.
                response.Headers.Date ??= policy.Network.Time.GetUtcNow();
                var body = request.Options.TryGetValue(HeadersOnly, out var only) && only
                    ? [] : await ReadAsync(response, request, uri, limit.Token).ConfigureAwait(false);
                var content = new ByteArrayContent(body);
                // The charset is removed: JSON is UTF-8 (RFC 8259 section 8.1), and .NET throws for an unknown charset such as utf8.
                content.Headers.ContentType = response.Content.Headers.ContentType?.MediaType is { } type ? new MediaTypeHeaderValue(type) : null;
                response.Content.Dispose();
                response.Content = content;
                return response;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new McpAuthException(ErrorReason.ServerUnreachable,
                    $"{Origin(uri)} did not respond within {timeLimit.TotalSeconds:0} seconds.",
                    "Check the URL and the network, then try again.")
                { OutcomeUnknown = true };
            }
            catch (HttpRequestException e) when (e.InnerException is McpAuthException error)
            {
                throw error;
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
                    // Documents are read with GET. The responses to other methods contain tokens or a client registration.
                    throw new McpAuthException(request.Method == HttpMethod.Get ? ErrorReason.MetadataInvalid : ErrorReason.TokenResponseInvalid,
                        $"{Origin(uri)} sent a response of more than {SizeLimit / 1024 / 1024} MiB.")
                    { OutcomeUnknown = true };
                }
                body.Write(buffer, 0, read);
            }
            return body.ToArray();
        }
    }

    /// <summary>Reports each request and its result without queries, headers and bodies, because those contain secrets.</summary>
    private sealed class ProgressHandler(IProgress<string> progress, TimeProvider time) : DelegatingHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var operation = $"{request.Method} {UntrustedText.Sanitize(request.RequestUri?.GetLeftPart(UriPartial.Path))}";
            var started = time.GetTimestamp();
            try
            {
                var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
                progress.Report($"{operation}: {(int)response.StatusCode} ({time.GetElapsedTime(started).TotalMilliseconds:0} ms)");
                return response;
            }
            catch (McpAuthException e)
            {
                progress.Report($"{operation}: {e.Message}");
                throw;
            }
        }
    }

    internal static McpAuthException Unreachable(Uri uri, Exception e)
    {
        var error = (e as HttpRequestException)?.HttpRequestError ?? HttpRequestError.Unknown;
        if (error == HttpRequestError.ConfigurationLimitExceeded)
        {
            return new McpAuthException(ErrorReason.ProtocolViolation, $"{Origin(uri)} sent a response with more than {MaxHeaderKiB} KiB of headers.",
                "Report this to the operator of the server.", e)
            { OutcomeUnknown = true };
        }
        var reason = error switch
        {
            HttpRequestError.NameResolutionError => "the name does not resolve",
            HttpRequestError.ConnectionError => "the connection was refused or timed out",
            HttpRequestError.SecureConnectionError => "a trusted TLS connection cannot be established",
            HttpRequestError.ProxyTunnelError => "the proxy rejected the connection",
            HttpRequestError.ResponseEnded => "the connection ended before the response was complete",
            _ => "the connection failed",
        };
        return new McpAuthException(ErrorReason.ServerUnreachable, $"Cannot reach {Origin(uri)}: {reason}.",
            "Check the URL and the network, then try again.", e)
        {
            OutcomeUnknown = error is not (HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError),
        };
    }

    private static string Origin(Uri uri) => UntrustedText.WithAsciiHost(uri).GetLeftPart(UriPartial.Authority);
}

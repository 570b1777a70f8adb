using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;
using McpSm.Core.Interruption;
using McpSm.Core.Servers;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;

namespace McpSm.Core.Probing;

/// <summary>Connects as an MCP client over a given handler. Only this type loads the MCP SDK.</summary>
internal static class McpConnectionProbe
{
    /// <summary>
    /// Connects and lists the tools. Exceptions of the SDK can contain text of the server, and in it a token that the server echoes. They are
    /// discarded, and the error is created from the responses.
    /// </summary>
    /// <exception cref="McpAuthException">ServerUnreachable, ProtocolViolation.</exception>
    public static async Task<McpConnectionInfo> RunAsync(McpServer server, HttpMessageHandler handler, TimeProvider time, TimeSpan limit,
        CancellationToken cancellationToken)
    {
        var recorder = new ResponseRecorder(new ResponseSizeLimitHandler(handler), server);
        var started = time.GetTimestamp();
        using var timeout = new TimeLimit(time, limit, cancellationToken);
        try
        {
            using var http = new HttpClient(recorder, disposeHandler: false)
            {
                Timeout = Timeout.InfiniteTimeSpan,
            };
            for (var tries = 0; ; tries++)
            {
                try
                {
                    // In the first attempt, the SDK negotiates the newest version that both sides support.
                    var version = tries == 0 ? null : ProtocolVersions.Older[tries - 1];
                    return await AskAsync(server, http, version, () => time.GetElapsedTime(started), limit, timeout.Token).ConfigureAwait(false);
                }
                catch (Exception e) when (tries < ProtocolVersions.Older.Count && server.Transport != McpTransport.Sse
                    && recorder.LastFailure?.Status == 400 && FindOwnError(e) is null && !timeout.Token.IsCancellationRequested)
                {
                    recorder.LastFailure = null;
                }
            }
        }
        catch (Exception e) when (FindOwnError(e) is { } own)
        {
            throw own;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested
            && e is OperationCanceledException or TimeoutException)
        {
            throw new McpAuthException(ErrorReason.ServerUnreachable,
                $"The server did not answer within {limit.TotalSeconds:0} seconds.", "Check the URL and the network, then try again.");
        }
        catch (Exception e)
        {
            if (cancellationToken.IsCancellationRequested)
            {
                // Discard any other exception of the SDK, because its message may contain text of the server.
                throw e as OperationCanceledException ?? new OperationCanceledException(cancellationToken);
            }
            if (recorder.LastFailure is { } failure)
            {
                ChallengeProbe.RequireMcp(failure, server.Uri, server);
                throw new McpAuthException(failure.Status == 401 ? ErrorReason.AuthenticationRequired
                    : failure.Status == 403 ? ErrorReason.InsufficientScope : ErrorReason.ProtocolViolation,
                    $"The server answered {ChallengeProbe.DescribeStatus(failure.Status)}.")
                { StatusCode = failure.Status };
            }
            throw new McpAuthException(ErrorReason.ProtocolViolation,
                "The server answered, but not as an MCP server with this transport.",
                $"Check the URL and the type (http or sse) with: {new ListServersStep()}");
        }
    }

    /// <summary>Initializes a session and counts the tools. <paramref name="version"/> is the MCP version to require; null for any.</summary>
    private static async Task<McpConnectionInfo> AskAsync(McpServer server, HttpClient http, string? version, Func<TimeSpan> elapsed, TimeSpan limit,
        CancellationToken cancellationToken)
    {
        var transport = new HttpClientTransport(new HttpClientTransportOptions
        {
            Endpoint = server.Uri,
            TransportMode = server.Transport == McpTransport.Sse ? HttpTransportMode.Sse : HttpTransportMode.StreamableHttp,
            ConnectionTimeout = limit,
            EnableStandaloneGetStream = false,
            MaxReconnectionAttempts = 0,
        }, http);
        await using var closingTransport = transport.ConfigureAwait(false);
        var client = await McpClient.CreateAsync(transport, new McpClientOptions
        {
            ClientInfo = new Implementation { Name = "Mcpsm", Version = ProductInfo.Version },
            ProtocolVersion = version,
            InitializationTimeout = limit,
        }, cancellationToken: cancellationToken).ConfigureAwait(false);
        await using var closingClient = client.ConfigureAwait(false);
        var latency = elapsed();
        var tools = client.ServerCapabilities?.Tools is null ? 0
            : (await client.ListToolsAsync(cancellationToken: cancellationToken).ConfigureAwait(false)).Count;
        return new McpConnectionInfo(UntrustedText.Sanitize(client.ServerInfo?.Name), UntrustedText.Sanitize(client.ServerInfo?.Version),
            UntrustedText.Sanitize(client.NegotiatedProtocolVersion), tools, latency);
    }

    /// <summary>Records failed responses, and stops at a web page, in which the SDK would wait for an event if the transport is sse.</summary>
    private sealed class ResponseRecorder(HttpMessageHandler inner, McpServer server) : DelegatingHandler(inner)
    {
        /// <summary>The last response that was not a success.</summary>
        public ChallengeResponse? LastFailure { get; set; }

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            HttpResponseMessage response;
            try
            {
                response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                throw RestrictedHttpClient.Unreachable(server.Uri, e);
            }
            var answer = ChallengeProbe.Read(response, server.Uri);
            if (response.IsSuccessStatusCode)
            {
                ChallengeProbe.RequireMcp(answer, server.Uri, server);
            }
            else
            {
                LastFailure = answer;
            }
            return response;
        }
    }

    private static McpAuthException? FindOwnError(Exception? e)
    {
        for (; e is not null; e = e.InnerException)
        {
            if (e is McpAuthException own)
            {
                return own;
            }
        }
        return null;
    }
}

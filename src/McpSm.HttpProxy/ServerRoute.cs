using System.Collections.Concurrent;
using System.Net;
using McpSm.Core;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Relay;
using McpSm.Relay.Http;
using McpSm.Relay.Messages;
using Microsoft.AspNetCore.Http;

namespace McpSm.HttpProxy;

/// <summary>One server: its credential, which all callers share, and how its requests get there.</summary>
internal sealed class ServerRoute
{
    private const int MaxRedirects = 5;

    private readonly HttpProxyOptions _options;
    private readonly ConcurrentQueue<AuthenticatingHandler> _handlers = new();
    private readonly HttpMessageInvoker _http;
    private readonly RelaySessions _sessions;
    private readonly CancellationTokenSource _retired = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _users;
    private volatile bool _usesSessions;

    public ServerRoute(McpServer server, HttpProxyOptions options)
    {
        (Server, _options) = (server, options);
        _http = Connect(server);
        // A server of HTTP+SSE names its own URL for messages, which only a handler for that transport may use.
        var eventSource = new Lazy<HttpMessageInvoker>(() => server.Transport == McpTransport.Sse ? _http
            : Connect(new McpServer(server) { Transport = McpTransport.Sse }));
        _sessions = new RelaySessions(server, options, eventSource);
        _usesSessions = server.Transport == McpTransport.Sse;
    }

    public McpServer Server { get; }

    public void Enter() => Interlocked.Increment(ref _users);

    public void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0 && _retired.IsCancellationRequested)
        {
            _idle.TrySetResult();
        }
    }

    /// <summary>Ends streams and sessions, lets calls that run end within the limit, and then waits for a renewal that has begun.</summary>
    public async Task RetireAsync(TimeSpan limit)
    {
        await _retired.CancelAsync().ConfigureAwait(false);
        if (Volatile.Read(ref _users) == 0)
        {
            _idle.TrySetResult();
        }
        await Task.WhenAll(_idle.Task.WaitAsync(limit, _options.Relay.Time), _sessions.DisposeAsync().AsTask())
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var handler in _handlers)
        {
            // A refresh token that was sent must not be lost.
            await handler.EndAsync().ConfigureAwait(false);
            handler.Dispose();
        }
    }

    public async Task AnswerAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var body = HttpMethods.IsPost(context.Request.Method) ? await ReadBodyAsync(context.Request, cancellationToken).ConfigureAwait(false) : null;
        try
        {
            await AnswerAsync(context, body, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && RefusedException.Explain(e, Server, _options.FindCommand) is { } refusal)
        {
            var id = body is not null && Message.Parse(body) is { Kind: MessageKind.Request } request ? request.Id : default;
            await ErrorAnswer.WriteAsync(context, refusal, id).ConfigureAwait(false);
        }
    }

    private HttpMessageInvoker Connect(McpServer server)
    {
        var handler = _options.Connect(server);
        _handlers.Enqueue(handler);
        return new HttpMessageInvoker(handler, disposeHandler: false);
    }

    private async Task AnswerAsync(HttpContext context, byte[]? body, CancellationToken cancellationToken)
    {
        var session = context.Request.Headers[RelaySessions.Header].ToString();
        var initialize = session.Length == 0 && body is not null
            && Message.Parse(body) is { Kind: MessageKind.Request, Method: "initialize", IsStateless: false } message ? message : null;
        if (initialize is not null && _usesSessions)
        {
            var failure = await _sessions.TryOpenAsync(context, initialize, cancellationToken).ConfigureAwait(false);
            if (failure is not null)
            {
                // The server may have been replaced by one of the newer transport.
                _usesSessions = Server.Transport == McpTransport.Sse;
                await ResponseForwarder.WriteAsync(context, RefusedException.FindStatus(failure), failure.Bytes, cancellationToken).ConfigureAwait(false);
            }
        }
        else if (RelaySessions.IsId(session) || Server.Transport == McpTransport.Sse)
        {
            await _sessions.AnswerAsync(context, session, body, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            try
            {
                await ForwardAsync(context, body, initialize, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_retired.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new RefusedException(StatusCodes.Status404NotFound, ErrorReason.ServerNotFound,
                    $"The settings of '{Server.Name}' have changed. Send 'initialize' again.");
            }
        }
    }

    /// <param name="context">The request and its response.</param>
    /// <param name="body">The body of the request; null if it has none.</param>
    /// <param name="initialize">The message, if a server of the older transport may refuse it.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    private async Task ForwardAsync(HttpContext context, byte[]? body, Message? initialize, CancellationToken cancellationToken)
    {
        // A stream that waits for the server would hold an old route forever.
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken,
            HttpMethods.IsGet(context.Request.Method) ? _retired.Token : default);
        using var response = await SendAsync(context.Request, body, cancel.Token).ConfigureAwait(false);
        if (initialize is null || response.StatusCode is not (HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed))
        {
            await ResponseForwarder.ForwardAsync(response, context, cancel.Token).ConfigureAwait(false);
            return;
        }
        var first = await new ServerConnection(_http, Server, _options.Relay).ReadBodyAsync(response, cancel.Token).ConfigureAwait(false);
        if (!Message.Parse(first).IsError && await _sessions.TryOpenAsync(context, initialize, cancel.Token).ConfigureAwait(false) is null)
        {
            _usesSessions = true;
            return;
        }
        // The answer over the first transport is the one that explains.
        ProxiedHeaders.Copy(response, context.Response);
        await ResponseForwarder.WriteAsync(context, (int)response.StatusCode, first, cancel.Token).ConfigureAwait(false);
    }

    /// <summary>Sends the request. A redirect is followed within the origin of the server only.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpRequest from, byte[]? body, CancellationToken cancellationToken)
    {
        var url = Server.Uri;
        for (var redirects = 0; ; redirects++)
        {
            var request = new HttpRequestMessage(new HttpMethod(from.Method), url) { Content = body is null ? null : new ByteArrayContent(body) };
            if (!ProxiedHeaders.TryCopy(from, request))
            {
                throw new RefusedException(StatusCodes.Status400BadRequest, ErrorReason.InvalidValue,
                    "The request has a header twice, or a header that is not ASCII.");
            }
            var response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            if (redirects < MaxRedirects && ServerConnection.FindRedirect(response, url, request.Method) is { } target)
            {
                response.Dispose();
                url = target;
                continue;
            }
            if (FindRefusal(response) is { } refused)
            {
                response.Dispose();
                throw refused;
            }
            return response;
        }
    }

    /// <summary>Finds what a caller must not get from the server: a challenge that is not for it, and a redirect to another place.</summary>
    private Exception? FindRefusal(HttpResponseMessage response) => (int)response.StatusCode switch
    {
        StatusCodes.Status401Unauthorized => new McpAuthException(ErrorReason.AuthenticationRequired, $"You are not signed in to '{Server.Name}'.",
            CredentialRemedy.ForNewCredential(Server)),
        StatusCodes.Status403Forbidden when response.Headers.WwwAuthenticate.Count > 0 => new McpAuthException(ErrorReason.InsufficientScope,
            $"'{Server.Name}' requires more rights than your sign-in gave.", CredentialRemedy.ForNewCredential(Server)),
        >= 300 and < 400 => new RefusedException(StatusCodes.Status502BadGateway, ErrorReason.UnsafeEndpoint,
            $"'{Server.Name}' redirects to another address. Mcpsm does not follow, so that no other server gets the token."),
        < 200 or >= 600 => new RefusedException(StatusCodes.Status502BadGateway, ErrorReason.ProtocolViolation,
            $"'{Server.Name}' sent an HTTP status that does not exist."),
        _ => null,
    };

    private static async Task<byte[]> ReadBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        // The server limits the size.
        using var body = new MemoryStream();
        await request.Body.CopyToAsync(body, cancellationToken).ConfigureAwait(false);
        return body.ToArray();
    }
}

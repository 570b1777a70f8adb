using McpSm.Core.Errors;
using McpSm.Relay;
using McpSm.Relay.Messages;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace McpSm.HttpProxy;

/// <summary>Answers the requests: checks who calls, finds the server by the path, and passes the request to it.</summary>
internal sealed class ProxyApplication(HttpProxyOptions options, int port, ServerRoutes routes, CancellationToken ends) : IHttpApplication<HttpContext>
{
    private const string AllowedMethods = "POST, GET, DELETE";

    private readonly RequestGate _gate = new(options, port);

    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception)
    {
        // Kestrel owns everything in it.
    }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        var began = options.Relay.Time.GetTimestamp();
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, ends);
        try
        {
            await AnswerAsync(context, cancel.Token).ConfigureAwait(false);
        }
        catch (Exception) when (cancel.IsCancellationRequested)
        {
            // The caller is gone, or the proxy ends. An answer that has begun must not look complete.
            context.Abort();
        }
        catch (BadHttpRequestException e)
        {
            // The body is too large, too slow or malformed.
            var text = e.StatusCode == StatusCodes.Status413PayloadTooLarge
                ? $"The message is larger than {options.Relay.MaxClientMessage / 1024 / 1024} MiB." : "The body of the request cannot be read.";
            await ErrorAnswer.WriteAsync(context, Refuse(e.StatusCode, text)).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            // config.json cannot be read. Failures of one server are answered where the server is known.
            await ErrorAnswer.WriteAsync(context, Refuse(StatusCodes.Status500InternalServerError, e.Message, e.Reason)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            // A bug in Mcpsm must not end the proxy for all other callers. The message may quote a secret, so only the type is shown.
            options.Relay.Warn?.Invoke($"Unexpected error in Mcpsm: {e.GetType().Name}. {e.StackTrace}");
            await ErrorAnswer.WriteAsync(context, Refuse(StatusCodes.Status500InternalServerError, "Unexpected error.")).ConfigureAwait(false);
        }
        var time = options.Relay.Time.GetElapsedTime(began);
        options.Relay.Log?.Invoke($"{context.Request.Method} from a caller: {context.Response.StatusCode} in {time.TotalMilliseconds:0} ms");
    }

    private async Task AnswerAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var request = context.Request;
        if (_gate.CheckOrigin(request) is { } refusal)
        {
            await ErrorAnswer.WriteAsync(context, refusal).ConfigureAwait(false);
            return;
        }
        _gate.AllowReading(context);
        if (request.Method == "OPTIONS")
        {
            if (!_gate.TryAnswerPreflight(context))
            {
                await ErrorAnswer.WriteAsync(context, Refuse(StatusCodes.Status403Forbidden, "OPTIONS is not allowed.")).ConfigureAwait(false);
            }
            return;
        }
        // Before the token is asked for: a client that looks for metadata must not find anything to sign in to.
        if (ServerPath.ReadId(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget) is not { } id)
        {
            await ErrorAnswer.WriteAsync(context, Refuse(StatusCodes.Status404NotFound, "The path does not name a server.", ErrorReason.ServerNotFound))
                .ConfigureAwait(false);
            return;
        }
        if (!_gate.IsAuthorized(request))
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await ErrorAnswer.WriteAsync(context, Refuse(StatusCodes.Status401Unauthorized,
                "The bearer token of this proxy is missing or wrong. 'mcpsm proxy' names the file that contains it when it starts.",
                ErrorReason.AuthenticationRequired)).ConfigureAwait(false);
            return;
        }
        // Methods are case-sensitive (RFC 9110 section 9.1).
        if (request.Method is not ("POST" or "GET" or "DELETE"))
        {
            context.Response.Headers.Allow = AllowedMethods;
            await ErrorAnswer.WriteAsync(context, Refuse(StatusCodes.Status405MethodNotAllowed, "Use POST, GET or DELETE.")).ConfigureAwait(false);
            return;
        }
        await routes.AnswerAsync(id, context, cancellationToken).ConfigureAwait(false);
    }

    private static Refusal Refuse(int status, string text, ErrorReason reason = ErrorReason.InvalidValue) =>
        new(status, new RelayFailure(status, ErrorId.Of(reason), text));
}

using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.HttpAuthentication;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Core;

/// <summary>
/// Keeps the requests of one MCP server signed in, under an <see cref="HttpClient"/> or the MCP SDK's
/// <c>HttpClientTransport</c>. Made for long-lived programs and for many requests at a time.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>It attaches the server's credential (RFC 6750 section 2.1; where it is bound to a key,
/// with a proof for each request, RFC 9449 section 7.1, and the server's nonce in it) and the secret headers kept for it, to requests of
/// the server's own URL and below it; over the sse transport, whose server names its own endpoint, of its origin.
/// A request to anywhere else fails with <see cref="ErrorReason.UnsafeEndpoint"/> before it is sent.</item>
/// <item>It renews the token before it expires (RFC 6749 section 6), at most 60 seconds or a tenth of its lifetime
/// ahead. What another process has renewed or signed in meanwhile is used.</item>
/// <item>A 401 is answered once by renewal, then, where sign-in is allowed, once by signing in as the answer's challenge
/// says (RFC 9728 section 5).</item>
/// <item>A 403 with <c>insufficient_scope</c> (RFC 6750 section 3.1) is answered, where sign-in is allowed, by signing
/// in for the scopes held so far and those challenged, three times at most; scopes that were denied are not asked for
/// again. Where that does not help the request fails with <see cref="ErrorReason.InsufficientScope"/>.</item>
/// <item>It follows no redirect: the answer is given as it is, and the token goes nowhere.</item>
/// </list>
/// Requests are buffered, so that they can be sent again; answers are not, and stream as they come. Cancelling a request
/// ends that request alone: a renewal or sign-in that it began goes on for the others, until the handler is disposed. A
/// sign-in takes as long as a person does: time limits of the client above must be longer than
/// <see cref="SignInOptions.Timeout"/>. Failures to authenticate are <see cref="McpAuthException"/>s, failures of the
/// network <see cref="HttpRequestException"/>s. Only asynchronous sending is supported.
/// </remarks>
public sealed class AuthenticatingHandler : HttpMessageHandler
{
    private readonly McpServer _server;
    private readonly Uri _resource;
    private readonly HandlerCredential _credential;
    private readonly HttpMessageInvoker _sender;
    private readonly TimeProvider _time;

    /// <param name="server">The server, as the catalog of <paramref name="authenticator"/> has it.</param>
    /// <param name="authenticator">Whose servers and credentials these are.</param>
    /// <param name="signIn">How to sign in where a request needs it; null never to, so that such a request gets its
    /// 401 or 403.</param>
    /// <exception cref="McpAuthException">InvalidServerUrl.</exception>
    public AuthenticatingHandler(McpServer server, Authenticator authenticator, SignInOptions? signIn = null)
        : this(server, authenticator.Environment, authenticator.Tokens, authenticator.SignIn, signIn)
    {
    }

    internal AuthenticatingHandler(McpServer server, AppEnvironment environment, TokenService tokens, SignInService signInService, SignInOptions? signIn)
    {
        _server = server;
        _resource = server.Uri;
        _time = environment.Time;
        _credential = new HandlerCredential(server, tokens, signInService, _time, signIn);
        _sender = new HttpMessageInvoker(RestrictedHttpClient.NewSocketsHandler(new UrlPolicy(_resource) { Network = environment.Network }));
    }

    /// <exception cref="McpAuthException">UnsafeEndpoint; the reasons of renewal, sign-in and the vault; InsufficientScope.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached, or the connection broke.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ServerUrl.RequireCovered(_server, request.RequestUri!);
        if (request.Content is { } content and not ByteArrayContent)
        {
            // A stream can be sent once, so it is buffered before the first attempt. Bytes in memory can be sent again as they are.
            await content.LoadIntoBufferAsync(cancellationToken).ConfigureAwait(false);
        }
        var item = await _credential.GetAsync(cancellationToken).ConfigureAwait(false);
        var attempt = new RequestAttempt();
        while (true)
        {
            var (response, answer) = await SendWithNonceAsync(request, item, cancellationToken).ConfigureAwait(false);
            var again = true;
            try
            {
                (again, item) = await _credential.HandleResponseAsync(item, answer, attempt, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                if (again)
                {
                    response.Dispose();
                }
            }
            if (!again)
            {
                return response;
            }
        }
    }

    /// <summary>Ends what is under way for the credential, and waits for that: no process should end in the midst of it.</summary>
    internal Task EndAsync() => _credential.EndAsync();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _credential.Dispose();
            _sender.Dispose();
        }
        base.Dispose(disposing);
    }

    /// <summary>Sends the request, and once more where the server wants a nonce in the proof (RFC 9449 section 9): the token is not what it refused.</summary>
    private async Task<(HttpResponseMessage Response, ChallengeResponse Answer)> SendWithNonceAsync(HttpRequestMessage request, ServerSecrets? item,
        CancellationToken cancellationToken)
    {
        for (var again = false; ; again = true)
        {
            var response = await SendAsync(request, item, cancellationToken).ConfigureAwait(false);
            var answer = ChallengeProbe.Read(response, _resource);
            if (item?.OAuth?.DPoPKey is null || !answer.WantsNonce)
            {
                return (response, answer);
            }
            response.Dispose();
            if (again)
            {
                throw new McpAuthException(ErrorReason.ProtocolViolation,
                    $"'{_server.Name}' asks for a new nonce in every proof (use_dpop_nonce), also where its last one was in it.",
                    "Try again; if that does not help, tell the operator of the server.")
                { Server = _server.Name, StatusCode = answer.Status };
            }
        }
    }

    /// <summary>Sends the request with the credential, which is off it again afterwards: callers log their requests.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, ServerSecrets? item, CancellationToken cancellationToken)
    {
        // What the caller sets goes before what is kept.
        var added = ServerSecrets.HeadersFor(_server, item)
            .Where(h => !request.Headers.Contains(h.Key) && request.Headers.TryAddWithoutValidation(h.Key, h.Value)).ToList();
        var own = request.Headers.Authorization;
        var ownProof = request.Headers.NonValidated.TryGetValues(DPoPProof.Header, out var proofs) ? proofs.ToList() : [];
        try
        {
            item?.Authorize(request, _time.GetUtcNow());
            return await _sender.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (e.InnerException is McpAuthException refused)
        {
            throw refused.For(_server.Name);
        }
        finally
        {
            request.Headers.Authorization = own;
            request.Headers.Remove(DPoPProof.Header);
            request.Headers.TryAddWithoutValidation(DPoPProof.Header, ownProof);
            added.ForEach(h => request.Headers.Remove(h.Key));
        }
    }
}

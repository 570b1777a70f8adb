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
/// Authenticates the requests to one MCP server, for an <see cref="HttpClient"/> or the MCP SDK's <c>HttpClientTransport</c>. It is made for
/// long-lived programs that send many requests at a time.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>It adds the server's credential (RFC 6750 section 2.1) and the stored secret headers to requests at the server's URL and below it.
/// With the sse transport, whose server names its own endpoint, it adds them to requests at the origin of the server. If the token is bound to
/// a key, each request gets a proof with the server's nonce (RFC 9449 section 7.1). A request to any other URL fails with
/// <see cref="ErrorReason.UnsafeEndpoint"/> before it is sent.</item>
/// <item>It renews the token before it expires (RFC 6749 section 6), at most 60 seconds or a tenth of its lifetime early. It uses a token that
/// another process has renewed or obtained.</item>
/// <item>After a 401 it renews the token once. If that does not help and sign-in is allowed, it signs in once, as the challenge says
/// (RFC 9728 section 5).</item>
/// <item>After a 403 with <c>insufficient_scope</c> (RFC 6750 section 3.1) it signs in for the present scopes and those of the challenge, if
/// sign-in is allowed: at most three times, and never again for scopes that were denied. If that does not help, the request fails with
/// <see cref="ErrorReason.InsufficientScope"/>.</item>
/// <item>It does not follow redirects. The caller gets the redirect as the response, and the token is sent to no other URL.</item>
/// </list>
/// The handler buffers requests, so that it can send them again. It streams responses. Cancelling a request ends only that request: a renewal
/// or sign-in that it began continues for the other requests, until the handler is disposed. A sign-in takes as long as the person needs, so
/// the timeout of the client must be longer than <see cref="SignInOptions.Timeout"/>. If authentication fails, the handler throws an
/// <see cref="McpAuthException"/>; if the network fails, an <see cref="HttpRequestException"/>. It supports only asynchronous sending.
/// </remarks>
public sealed class AuthenticatingHandler : HttpMessageHandler
{
    private readonly McpServer _server;
    private readonly Uri _resource;
    private readonly HandlerCredential _credential;
    private readonly HttpMessageInvoker _sender;
    private readonly TimeProvider _time;

    /// <param name="server">The server, as the catalog of <paramref name="authenticator"/> has it.</param>
    /// <param name="authenticator">The catalog and the credentials.</param>
    /// <param name="signIn">How to sign in if a request needs it; null to return the 401 or 403 instead.</param>
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

    /// <summary>Cancels a renewal or sign-in that is running, and waits for its end. A process should not end in the middle of one.</summary>
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

    /// <summary>
    /// Sends the request. If the server wants a nonce in the proof (RFC 9449 section 9), it has not refused the token, and the request is sent again.
    /// </summary>
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
                    $"'{_server.Name}' requires a new nonce for each proof (use_dpop_nonce), and did not accept the nonce that it had just sent.",
                    "Try again. If it happens again, tell the operator of the server.")
                { Server = _server.Name, StatusCode = answer.Status };
            }
        }
    }

    /// <summary>Sends the request with the credential, and removes it from the request afterwards, because callers log their requests.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, ServerSecrets? item, CancellationToken cancellationToken)
    {
        // A header that the caller sets takes precedence over a stored one.
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

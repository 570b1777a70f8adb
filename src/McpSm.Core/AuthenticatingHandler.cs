using System.Net.Http.Headers;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Core;

/// <summary>
/// Keeps the requests of one MCP server signed in, under an <see cref="HttpClient"/> or the MCP SDK's
/// <c>HttpClientTransport</c>. Made for long-lived programs and for many requests at a time.
/// </summary>
/// <remarks>
/// <list type="bullet">
/// <item>It attaches the server's credential (RFC 6750 section 2.1) and the secret headers kept for it, to requests of
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
/// <see cref="ConnectOptions.Timeout"/>. Failures to authenticate are <see cref="McpAuthException"/>s, failures of the
/// network <see cref="HttpRequestException"/>s. Only asynchronous sending is supported.
/// </remarks>
public sealed class AuthenticatingHandler : HttpMessageHandler
{
    private readonly McpServer _server;
    private readonly Uri _resource;
    private readonly CredentialInUse _credential;
    private readonly HttpMessageInvoker _sender;

    /// <param name="server">The server, as the catalog of <paramref name="authenticator"/> has it.</param>
    /// <param name="authenticator">Whose servers and credentials these are.</param>
    /// <param name="signIn">How to sign in where a request needs it; null never to, so that such a request gets its
    /// 401 or 403.</param>
    /// <exception cref="McpAuthException">InvalidServerUrl.</exception>
    public AuthenticatingHandler(McpServer server, Authenticator authenticator, ConnectOptions? signIn = null)
    {
        _server = server;
        _resource = server.Uri;
        _credential = new CredentialInUse(server, authenticator, signIn);
        _sender = new HttpMessageInvoker(SafeHttp.NewSocketsHandler(new UrlPolicy(_resource)));
    }

    /// <exception cref="McpAuthException">UnsafeEndpoint; the reasons of renewal, sign-in and the vault; InsufficientScope.</exception>
    /// <exception cref="HttpRequestException">The server cannot be reached, or the connection broke.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        RequireOwn(request.RequestUri!);
        if (request.Content is { } content)
        {
            // A stream can be sent once; what may be sent again is kept before the first time.
            await content.LoadIntoBufferAsync(cancellationToken).ConfigureAwait(false);
        }
        var item = await _credential.GetAsync(cancellationToken).ConfigureAwait(false);
        var attempt = new Attempt();
        while (true)
        {
            var response = await SendAsync(request, item, cancellationToken).ConfigureAwait(false);
            var again = true;
            try
            {
                (again, item) = await _credential.AnswerAsync(item, ServerQuestion.Read(response, _resource), attempt, cancellationToken)
                    .ConfigureAwait(false);
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

    private void RequireOwn(Uri uri)
    {
        // The path too: on one host there may be servers of several owners (rule 22).
        if (_server.Transport == McpTransport.Sse ? !ResourceUri.SameOrigin(uri, _resource)
            : !ResourceUri.Covers(_resource.GetLeftPart(UriPartial.Path), uri))
        {
            throw new McpAuthException(ErrorReason.UnsafeEndpoint,
                $"The request leads out of '{_server.Name}', whose credential goes nowhere else.") { Server = _server.Name };
        }
    }

    /// <summary>Sends the request with the credential, which is off it again afterwards: callers log their requests.</summary>
    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, ServerItem? item, CancellationToken cancellationToken)
    {
        // What the caller sets goes before what is kept.
        var added = ServerItem.HeadersFor(_server, item)
            .Where(h => !request.Headers.Contains(h.Key) && request.Headers.TryAddWithoutValidation(h.Key, h.Value)).ToList();
        var own = request.Headers.Authorization;
        if (item?.Token is { } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        try
        {
            return await _sender.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (e.InnerException is McpAuthException refused)
        {
            throw refused.For(_server.Name);
        }
        finally
        {
            request.Headers.Authorization = own;
            added.ForEach(h => request.Headers.Remove(h.Key));
        }
    }
}

using System.Net.Http.Headers;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Core;

/// <summary>
/// Keeps the requests of one server signed in: attaches its credential and its secret headers to requests to its own
/// origin and to no other, renews before expiry, answers a 401 with one renewal, follows no redirect (rules 21, 22).
/// </summary>
public sealed class AuthenticatingHandler(McpServer server, Authenticator authenticator) : DelegatingHandler(
    SafeHttp.NewSocketsHandler(new UrlPolicy(server.Uri)))
{
    private ServerItem? _item;
    private bool _read;

    /// <summary>The last answer that was not a success.</summary>
    public ServerAnswer? LastFailure { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (!ResourceUri.SameOrigin(request.RequestUri!, server.Uri))
        {
            throw new McpAuthException(ErrorReason.UnsafeEndpoint,
                $"'{server.Name}' points to another origin, which gets no credential of its.") { Server = server.Name };
        }
        if (!_read)
        {
            _item = await authenticator.ReadForUseAsync(server, cancellationToken).ConfigureAwait(false);
            _read = true;
        }
        // A request can be sent once; what a second try needs is kept before the first.
        var body = request.Content is null ? null : await request.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
        var response = await SendAsync(request, body, cancellationToken).ConfigureAwait(false);
        if ((int)response.StatusCode == 401 && _item?.OAuth is { } rejected)
        {
            var renewed = await authenticator.RenewAsync(server, rejected, cancellationToken,
                ServerQuestion.Read(response, server.Uri)).ConfigureAwait(false);
            if (renewed.AccessToken != rejected.AccessToken)
            {
                response.Dispose();
                _item = _item with { OAuth = renewed };
                response = await SendAsync(request, body, cancellationToken).ConfigureAwait(false);
            }
        }
        if (!response.IsSuccessStatusCode)
        {
            LastFailure = ServerQuestion.Read(response, server.Uri);
        }
        return response;
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage original, byte[]? body, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(original.Method, original.RequestUri);
        foreach (var (name, values) in original.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, values);
        }
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            foreach (var (name, values) in original.Content!.Headers)
            {
                request.Content.Headers.TryAddWithoutValidation(name, values);
            }
        }
        foreach (var (name, value) in ServerItem.HeadersFor(server, _item))
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        if (_item?.Token is { } token)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        try
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw e.InnerException as McpAuthException ?? SafeHttp.Unreachable(server.Uri, e);
        }
    }
}

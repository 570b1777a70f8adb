using McpSm.Core;
using McpSm.Core.Http;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Commands.Proxy;

/// <summary>What sends the requests of a relay: signed in, or with the <c>Authorization</c> header that the user gave in place of a sign-in.</summary>
internal sealed class ProxyConnections(CommandContext context, McpServer server, IReadOnlyDictionary<string, string> headers) : IAsyncDisposable
{
    private readonly List<HttpMessageHandler> _handlers = [];

    /// <summary>Whether the user gave the credential, so that the credential of the vault is not read and not sent.</summary>
    public bool HasOwnCredential { get; } = headers.Keys.Any(HeadersHandler.IsAuthorization);

    public HttpMessageInvoker Connect(McpTransport transport)
    {
        var target = transport == server.Transport ? server : new McpServer(server) { Transport = transport };
        HttpMessageHandler handler = HasOwnCredential
            ? RestrictedHttpClient.NewSocketsHandler(new UrlPolicy(target.Uri) { Network = context.AppEnvironment.Network })
            : new AuthenticatingHandler(target, context.Authenticator, new SignInOptions());
        _handlers.Add(handler);
        return new HttpMessageInvoker(headers.Count == 0 ? handler : new HeadersHandler(target, headers, handler), disposeHandler: false);
    }

    public async ValueTask DisposeAsync()
    {
        // A refresh token that was sent must not be lost.
        await RelayEnd.WaitAsync(_handlers.OfType<AuthenticatingHandler>(), context.AppEnvironment).ConfigureAwait(false);
        _handlers.ForEach(handler => handler.Dispose());
    }
}

using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Http;
using McpSm.Core.HttpAuthentication;
using McpSm.Core.Probing;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Core.Management;

/// <summary>Tests a server with its credential.</summary>
internal sealed class ServerTester
{
    private readonly AppEnvironment _environment;
    private readonly CredentialStore _store;
    private readonly TokenService _tokens;
    private readonly SignInService _signIn;

    internal ServerTester(AppEnvironment environment, CredentialStore store, TokenService tokens, SignInService signIn)
    {
        _environment = environment;
        _store = store;
        _tokens = tokens;
        _signIn = signIn;
    }

    /// <summary>Connects as an MCP client with the server's credential.</summary>
    /// <param name="server">The server.</param>
    /// <param name="limit">The maximum duration of the test.</param>
    /// <param name="cancellationToken">Cancels the test.</param>
    public async Task<McpTestResult> TestAsync(McpServer server, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            using var handler = new AuthenticatingHandler(server, _environment, _tokens, _signIn, null);
            try
            {
                var answer = await McpConnectionProbe.RunAsync(server, handler, _environment.Network.Time, limit, cancellationToken).ConfigureAwait(false);
                return McpTestResult.Create(server, Status(server).State, answer).Without(await SecretsAsync(server, cancellationToken).ConfigureAwait(false));
            }
            finally
            {
                await handler.EndAsync().ConfigureAwait(false);
            }
        }
        catch (McpAuthException e)
        {
            var status = Status(server);
            var state = status.State;
            if (CredentialRefusal.IsReportedBy(e))
            {
                (state, var next) = CredentialRefusal.Evaluate(server, status, wasRenewed: true);
                e = e.For(server.Name, next);
            }
            return McpTestResult.Create(server, state, _environment.Remedies,
                e.For(server.Name, e.Reason == ErrorReason.InsufficientScope ? CredentialRemedy.ForNewCredential(server) : null))
                .Without(await SecretsAsync(server, cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>Reads the secrets that were sent to the server, which it could repeat in its name or in a redirect.</summary>
    private async Task<IReadOnlyList<string?>> SecretsAsync(McpServer server, CancellationToken cancellationToken)
    {
        try
        {
            var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
            return [item?.Token, server.Plaintext.BearerToken, .. ServerSecrets.HeadersFor(server, item).Values];
        }
        catch (McpAuthException)
        {
            // A credential that cannot be read was not sent either.
            return [];
        }
    }

    /// <summary>Returns the status after sending the credential to the server, which may refuse a token that the index says is valid.</summary>
    /// <exception cref="McpAuthException">The reasons of the vault; ServerUnreachable if the server did not answer.</exception>
    public async Task<McpAuthStatus> ValidateAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        var status = Status(server);
        var token = item?.Token ?? server.Plaintext.BearerToken;
        // Without a token the only open question is whether a server that needed none still needs none.
        if ((token is null && status.State != AuthState.NoAuth) || !server.IsSecure)
        {
            return status;
        }
        if (token is not null)
        {
            TokenService.RequireSendable(server, token);
        }
        var shown = item?.Token is not null ? item : new ServerSecrets { Url = server.Url, BearerToken = token };
        using var http = new RestrictedHttpClient(new UrlPolicy(server.Uri) { Network = _environment.Network });
        var answer = await ChallengeProbe.SendAsync(http, server.Uri, server.Transport == McpTransport.Sse,
            ServerSecrets.HeadersFor(server, item), request => shown.Authorize(request, _environment.Time.GetUtcNow()), cancellationToken)
            .ConfigureAwait(false);
        if (answer.Status != 401)
        {
            return status;
        }
        var (state, next) = CredentialRefusal.Evaluate(server, status, wasRenewed: false);
        return status.Corrected(state, _environment.Remedies.Format(next));
    }

    private McpAuthStatus Status(McpServer server) => McpAuthStatus.Read(_environment, server);
}

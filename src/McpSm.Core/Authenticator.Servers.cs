using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Http;
using McpSm.Core.HttpAuthentication;
using McpSm.Core.Management;
using McpSm.Core.Probing;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Core;

/// <remarks>Servers, and whether they answer.</remarks>
public sealed partial class Authenticator
{
    /// <summary>Adds a server with the secrets that are given for it.</summary>
    /// <exception cref="McpAuthException">ServerAlreadyExists, InvalidServerName, InvalidServerUrl, InvalidValue, …</exception>
    public async Task<ServerUpdateResult> AddServerAsync(ServerUpdate change, CancellationToken cancellationToken)
    {
        var added = await _editor.AddAsync(change, cancellationToken).ConfigureAwait(false);
        WarnOfPlainHttp(added.Server);
        return added;
    }

    /// <summary>Changes a server and the secrets that are given for it.</summary>
    /// <exception cref="McpAuthException">ServerNotFound, and what adding one may throw.</exception>
    public async Task<ServerUpdateResult> UpdateServerAsync(McpServer server, ServerUpdate change, CancellationToken cancellationToken)
    {
        var changed = await _editor.UpdateAsync(server, change, cancellationToken).ConfigureAwait(false);
        if (changed.Server.Url != server.Url)
        {
            WarnOfPlainHttp(changed.Server);
        }
        return changed;
    }

    private void WarnOfPlainHttp(McpServer server)
    {
        if (!server.IsSecure)
        {
            _interaction.Warn($"'{server.Name}' is at a plain http address of another machine. No credential is sent there; use https for that.");
        }
    }

    /// <summary>The server at that URL; it is added if there is none, with a name made of its host.</summary>
    public Task<(McpServer Server, bool IsNew)> FindOrAddServerAsync(string url, CancellationToken cancellationToken) =>
        FindOrAddServerAsync(url, null, cancellationToken);

    /// <summary>The server of that name at that URL; it is added if there is none.</summary>
    /// <param name="name">Null for any server at that URL, and for a name made of the host if there is no server yet.</param>
    /// <exception cref="McpAuthException">InvalidServerUrl, InvalidServerName; InvalidValue: several servers are at that URL;
    /// ServerAlreadyExists: the name is taken by a server at another URL.</exception>
    public Task<(McpServer Server, bool IsNew)> FindOrAddServerAsync(string url, string? name, CancellationToken cancellationToken) =>
        _editor.FindOrAddAsync(url, name, cancellationToken);

    /// <summary>Removes the server with all that is kept for it.</summary>
    public async Task<SignOutResult> RemoveServerAsync(McpServer server, CancellationToken cancellationToken)
    {
        var issuers = _store.IssuersOf(server);
        var result = await _signOut.RunAsync(server, local: false, keepBearer: false, cancellationToken).ConfigureAwait(false);
        using (await _store.LockAsync(server, cancellationToken).ConfigureAwait(false))
        {
            await _store.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
            // Under the lock: who waits for it, to keep something, must find the server gone.
            await Catalog.RemoveAsync(server.Id, cancellationToken).ConfigureAwait(false);
        }
        await LeaveRegistrationsAsync(server, issuers, cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <summary>Connects as an MCP client with the server's credential.</summary>
    /// <param name="limit">The longest it may take.</param>
    public async Task<McpTestResult> TestAsync(McpServer server, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            using var handler = new AuthenticatingHandler(server, this);
            try
            {
                var answer = await McpConnectionProbe.RunAsync(server, handler, limit, cancellationToken).ConfigureAwait(false);
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

    /// <summary>What the server was sent, and could echo in its name or in where it says it has moved to.</summary>
    private async Task<IReadOnlyList<string?>> SecretsAsync(McpServer server, CancellationToken cancellationToken)
    {
        try
        {
            var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
            return [item?.Token, server.Plaintext.BearerToken, .. ServerSecrets.HeadersFor(server, item).Values];
        }
        catch (McpAuthException)
        {
            // Then nothing of it was sent either.
            return [];
        }
    }

    /// <summary>The status after reading the secret and showing it to the server: what the facts cannot know.</summary>
    /// <exception cref="McpAuthException">The vault's reasons; ServerUnreachable where nothing was learned.</exception>
    public async Task<McpAuthStatus> ValidateAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        var status = Status(server);
        var token = item?.Token ?? server.Plaintext.BearerToken;
        // Without a token, only whether a server that is said to need none really does so is to be learned.
        if ((token is null && status.State != AuthState.NoAuth) || !server.IsSecure)
        {
            return status;
        }
        if (token is not null)
        {
            RequireSendable(server, token);
        }
        var shown = item?.Token is not null ? item : new ServerSecrets { Url = server.Url, BearerToken = token };
        using var http = new RestrictedHttpClient(new UrlPolicy(server.Uri) { Network = Network });
        var answer = await ChallengeProbe.SendAsync(http, server.Uri, server.Transport == McpTransport.Sse,
            ServerSecrets.HeadersFor(server, item), request => shown.Authorize(request, Time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
        if (answer.Status != 401)
        {
            return status;
        }
        var (state, next) = CredentialRefusal.Evaluate(server, status, wasRenewed: false);
        return status.Corrected(state, _environment.Remedies.Format(next));
    }
}

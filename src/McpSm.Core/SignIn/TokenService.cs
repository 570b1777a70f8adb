using System.Collections.Concurrent;
using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>Returns the access tokens of servers, and renews them when they are about to expire.</summary>
public sealed class TokenService
{
    private readonly AppEnvironment _environment;
    private readonly CredentialStore _store;
    private readonly IAuthInteraction _interaction;
    private readonly Lazy<TokenRenewer> _renewer;
    private readonly ConcurrentDictionary<string, bool> _warnedOfPlaintext = [];

    /// <param name="environment">The configuration folder, the variables and the clock.</param>
    /// <param name="store">The credentials.</param>
    /// <param name="interaction">Receives warnings.</param>
    /// <param name="renewer">Built only for a token that has to be renewed.</param>
    internal TokenService(AppEnvironment environment, CredentialStore store, IAuthInteraction interaction, Lazy<TokenRenewer> renewer)
    {
        _environment = environment;
        _store = store;
        _interaction = interaction;
        _renewer = renewer;
    }

    /// <summary>Returns the text of <see cref="GetAccessTokenAsync"/>.</summary>
    public async Task<string> GetTokenAsync(McpServer server, CancellationToken cancellationToken) =>
        (await GetAccessTokenAsync(server, cancellationToken).ConfigureAwait(false)).Value;

    /// <summary>Returns a valid access token, which is renewed first if it is about to expire.</summary>
    /// <param name="server">The server.</param>
    /// <param name="cancellationToken">Cancels the wait; a renewal that has begun is completed.</param>
    /// <param name="renew">Renews in any case, because the server refused the stored token.</param>
    /// <exception cref="McpAuthException">AuthenticationRequired, RefreshTokenRejected, ServerUnreachable, …</exception>
    public async Task<AccessToken> GetAccessTokenAsync(McpServer server, CancellationToken cancellationToken, bool renew = false)
    {
        ServerUrl.RequireSecure(server);
        var item = await ReadForUseAsync(server, renew, cancellationToken).ConfigureAwait(false);
        if (item?.OAuth is { } oauth && oauth.ExpiresAt <= _environment.Time.GetUtcNow())
        {
            throw new McpAuthException(ErrorReason.AuthenticationRequired, $"The token of '{server.Name}' has expired.",
                CredentialRemedy.ForNewCredential(server))
            { Server = server.Name };
        }
        return item?.Token is { } text ? new AccessToken(server, text, item.BearerToken is null ? item.OAuth!.DPoPKey : null, _environment.Time)
            : throw CredentialRemedy.SignInNeeded(server, item);
    }

    /// <summary>
    /// Renews the token now, even if the issuer refused a renewal a short time ago. If another process has just renewed it, that result is returned.
    /// </summary>
    /// <exception cref="McpAuthException">
    /// As <see cref="GetAccessTokenAsync"/>. Also if the renewed token could not be stored in its vault: it then waits in the encrypted file, if
    /// that can be written, and is used from there.
    /// </exception>
    public Task RenewAsync(McpServer server, CancellationToken cancellationToken) => RenewNowAsync(server, cancellationToken);

    /// <summary>Records that the server refused a token, so that the next call in any process renews it.</summary>
    /// <returns>Whether it is the stored token; otherwise another has already replaced it.</returns>
    /// <exception cref="McpAuthException">AuthenticationRequired: the token cannot be renewed, such as a bearer token that the user supplied.</exception>
    public Task<bool> RejectAsync(McpServer server, string token, CancellationToken cancellationToken) =>
        new TokenRejection(_environment, _store).RunAsync(server, token, cancellationToken);

    /// <summary>As <see cref="RenewAsync(McpServer, CancellationToken)"/>; returns the credential.</summary>
    internal async Task<OAuthCredential> RenewNowAsync(McpServer server, CancellationToken cancellationToken)
    {
        var stored = await ReadOAuthAsync(server, cancellationToken).ConfigureAwait(false);
        var (renewed, notKept) = await TryRenewAsync(server, stored, always: true, cancellationToken).ConfigureAwait(false);
        return notKept is null ? renewed : throw notKept;
    }

    /// <summary>Renews a token that is about to be used. If the renewed token cannot be stored, that is a warning and not an error.</summary>
    internal async Task<OAuthCredential> RenewAsync(McpServer server, OAuthCredential seen, CancellationToken cancellationToken)
    {
        var (renewed, notKept) = await TryRenewAsync(server, seen, always: false, cancellationToken).ConfigureAwait(false);
        if (notKept is not null)
        {
            _interaction.Warn(_environment.Remedies.Explain(notKept));
        }
        return renewed;
    }

    /// <summary>Reads the server's OAuth credential.</summary>
    /// <exception cref="McpAuthException">AuthenticationRequired: there is no token.</exception>
    internal async Task<OAuthCredential> ReadOAuthAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        return item?.OAuth ?? throw CredentialRemedy.SignInNeeded(server, item);
    }

    /// <summary>Reads what may be sent to the server, including a plaintext token if there is no other.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint: the server's URL is plain http to another machine.</exception>
    internal async Task<ServerSecrets?> ReadAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        if (server.Plaintext.HasSecret && _warnedOfPlaintext.TryAdd(server.Id, true))
        {
            _interaction.Warn(_environment.Remedies.Format(
                $"config.json contains a secret of '{server.Name}' in plaintext. Move it into the vault with: "
                + $"{new ImportStep(server)}"));
        }
        if (item?.Token is null && server.Plaintext.BearerToken is { } plaintext)
        {
            RequireSendable(server, plaintext);
            item = (item ?? new ServerSecrets { Url = server.Url }) with { BearerToken = plaintext };
        }
        if (item is not null)
        {
            ServerUrl.RequireSecure(server);
        }
        return item;
    }

    /// <summary>Checks a bearer token from config.json, which another program may have written.</summary>
    /// <exception cref="McpAuthException">InvalidValue.</exception>
    internal static void RequireSendable(McpServer server, string token)
    {
        if (BearerToken.Fault(token) is { } fault)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"The bearer token of '{server.Name}' in config.json cannot be sent: {fault}.",
                new SetTokenStep(server))
            { Server = server.Name };
        }
    }

    private async Task<(OAuthCredential Credential, McpAuthException? NotKept)> TryRenewAsync(McpServer server, OAuthCredential seen,
        bool always, CancellationToken cancellationToken)
    {
        try
        {
            return await _renewer.Value.RenewAsync(server, seen, always, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            throw e.For(server.Name, SignInRemedy.ForRenewal(server, e));
        }
    }

    /// <summary>Reads the server's item and renews its token if that is due and possible.</summary>
    private async Task<ServerSecrets?> ReadForUseAsync(McpServer server, bool renew, CancellationToken cancellationToken)
    {
        var item = await ReadAsync(server, cancellationToken).ConfigureAwait(false);
        if (renew)
        {
            return item is { BearerToken: null, OAuth: { } refused }
                ? item with { OAuth = await RenewAsync(server, refused, cancellationToken).ConfigureAwait(false) }
                : throw CredentialRemedy.SignInNeeded(server, item);
        }
        if (item?.OAuth is not { CanRenew: true } oauth || !TokenRenewer.IsDue(oauth, _environment.Time.GetUtcNow()))
        {
            return item;
        }
        try
        {
            return item with { OAuth = await RenewAsync(server, oauth, cancellationToken).ConfigureAwait(false) };
        }
        catch (McpAuthException e) when (oauth.ExpiresAt > _environment.Time.GetUtcNow()
            && e is { StatusCode: not null } or { Reason: ErrorReason.ServerUnreachable })
        {
            // The token is still valid: a failed renewal must not take it away.
            var left = oauth.ExpiresAt.Value - _environment.Time.GetUtcNow();
            _interaction.Warn($"The token of '{server.Name}' was not renewed. It is valid for {left.TotalSeconds:0} more seconds. {e.Message}");
            return item;
        }
    }
}

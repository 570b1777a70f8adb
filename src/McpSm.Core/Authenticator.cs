using System.Collections.Concurrent;
using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Entra;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Management;
using McpSm.Core.Network;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Vaults;

namespace McpSm.Core;

/// <summary>The front door: sign in, sign out, renew, status, token, test.</summary>
public sealed partial class Authenticator
{
    private readonly AppEnvironment _environment;
    private readonly IAuthInteraction _interaction;
    private readonly VaultSelector _vaults;
    private readonly CredentialStore _store;
    private readonly IdentitySessionStore _identities;
    private readonly EnterpriseSignIn _identity;
    private readonly TokenRenewer _renewal;
    private readonly SignOutFlow _signOut;
    private readonly SignInFlow _signIn;
    private readonly UnattendedClientResolver _ownClient;
    private readonly ServerSecretsWriter _secrets;
    private readonly PlaintextImporter _import;
    private readonly ServerUpdater _editor;
    private readonly ConcurrentDictionary<string, bool> _warnedOfPlaintext = [];

    /// <param name="progress">Is told, step by step, what a sign-in, renewal or sign-out does: every URL, and no secret.</param>
    public Authenticator(AppEnvironment environment, IAuthInteraction interaction, IProgress<string>? progress = null,
        IEnumerable<IVaultProvider>? vaults = null) : this(environment, interaction, progress, vaults, null)
    {
    }

    /// <param name="entraTransport">Makes what carries the requests to Entra ID; sockets where null.</param>
    internal Authenticator(AppEnvironment environment, IAuthInteraction interaction, IProgress<string>? progress, IEnumerable<IVaultProvider>? vaults,
        Func<HttpMessageHandler>? entraTransport)
    {
        var entra = new EntraTokenClient(environment, entraTransport, progress);
        _environment = environment;
        _interaction = interaction;
        Catalog = new ServerCatalog(environment);
        _vaults = new VaultSelector(environment, vaults ?? [], interaction.Notice, interaction.Warn);
        _store = new CredentialStore(environment, _vaults);
        _identities = new IdentitySessionStore(environment, _store.Index, _vaults);
        var assertion = new IdentityAssertionGrant(environment, new IdentitySessionRenewer(environment, _identities, progress), progress);
        _identity = new EnterpriseSignIn(environment, _store, _identities, assertion, entra, interaction, progress);
        _renewal = new TokenRenewer(environment, _store, entra, assertion, FindIssuerAsync, progress);
        var revoking = new TokenRevoker(environment, progress);
        _signOut = new SignOutFlow(_store, revoking);
        _signIn = new SignInFlow(environment, _store, Catalog, revoking, entra, _identity, interaction, progress);
        _ownClient = new UnattendedClientResolver(environment, _store, interaction);
        _secrets = new ServerSecretsWriter(_store, Catalog, revoking);
        _import = new PlaintextImporter(environment, _store, Catalog);
        _editor = new ServerUpdater(Catalog, _secrets);
    }

    public ServerCatalog Catalog { get; }

    /// <summary>What other tools get by name.</summary>
    public SecretProvider Secrets => new(this, new NamedSecretStore(_environment, _store.Index, _vaults), File);

    internal TimeProvider Time => _environment.Time;

    internal NetworkAccess Network => _environment.Network;

    /// <summary>The status of servers, from the facts file alone.</summary>
    /// <param name="failure">Why the facts cannot be read; every status is then Unknown.</param>
    public IReadOnlyList<McpAuthStatus> Status(IReadOnlyList<McpServer> servers, out McpAuthException? failure) =>
        McpAuthStatus.Read(_environment, servers, out failure);

    public McpAuthStatus Status(McpServer server) => Status([server], out _)[0];

    /// <summary>Renews now, also if the issuer refused to a short time ago; if another process has just renewed, that is the result.</summary>
    /// <exception cref="McpAuthException">
    /// As <see cref="GetAccessTokenAsync"/>; and if the renewed token could not be kept in its vault, why. It then waits in the
    /// encrypted file, if it can, and is used from there.
    /// </exception>
    public async Task<OAuthCredential> RenewAsync(McpServer server, CancellationToken cancellationToken)
    {
        var (renewed, notKept) = await TryRenewAsync(server, await ReadOAuthAsync(server, cancellationToken).ConfigureAwait(false), always: true, cancellationToken)
            .ConfigureAwait(false);
        return notKept is null ? renewed : throw notKept;
    }

    /// <summary>Renews for somebody who wants to use the token: what could not be kept is told as a warning.</summary>
    internal async Task<OAuthCredential> RenewAsync(McpServer server, OAuthCredential seen, CancellationToken cancellationToken)
    {
        var (renewed, notKept) = await TryRenewAsync(server, seen, always: false, cancellationToken).ConfigureAwait(false);
        if (notKept is not null)
        {
            _interaction.Warn(_environment.Remedies.Explain(notKept));
        }
        return renewed;
    }

    private async Task<OAuthCredential> ReadOAuthAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        return item?.OAuth ?? throw CredentialRemedy.SignInNeeded(server, item);
    }

    private async Task<(OAuthCredential Credential, McpAuthException? NotKept)> TryRenewAsync(McpServer server, OAuthCredential seen,
        bool always, CancellationToken cancellationToken)
    {
        try
        {
            return await _renewal.RenewAsync(server, seen, always, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            throw e.For(server.Name, SignInRemedy.ForRenewal(server, e));
        }
    }

    /// <summary>The text of <see cref="GetAccessTokenAsync"/>.</summary>
    public async Task<string> GetTokenAsync(McpServer server, CancellationToken cancellationToken) =>
        (await GetAccessTokenAsync(server, cancellationToken).ConfigureAwait(false)).Value;

    /// <summary>A valid access token, renewed first if need be.</summary>
    /// <param name="renew">Renews in any case: the server refused the token that is kept.</param>
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
        return item?.Token is { } text ? new AccessToken(server, text, item.BearerToken is null ? item.OAuth!.DPoPKey : null, Time)
            : throw CredentialRemedy.SignInNeeded(server, item);
    }

    /// <summary>Takes note that the server refused a token, so that the next call renews it, in whatever process.</summary>
    /// <returns>Whether it is the one that is kept; otherwise another has already taken its place.</returns>
    /// <exception cref="McpAuthException">AuthenticationRequired: nothing can renew it, as a bearer token of the user's own.</exception>
    public Task<bool> RejectTokenAsync(McpServer server, string token, CancellationToken cancellationToken) =>
        new TokenRejection(_environment, _store).RunAsync(server, token, cancellationToken);

    /// <summary>The server's item with a token that is not about to expire, where that can be had.</summary>
    private async Task<ServerSecrets?> ReadForUseAsync(McpServer server, bool renew, CancellationToken cancellationToken)
    {
        var item = await ReadAsync(server, cancellationToken).ConfigureAwait(false);
        if (renew)
        {
            return item is { BearerToken: null, OAuth: { } refused }
                ? item with { OAuth = await RenewAsync(server, refused, cancellationToken).ConfigureAwait(false) } : throw CredentialRemedy.SignInNeeded(server, item);
        }
        if (item?.OAuth is not { CanRenew: true } oauth || !TokenRenewer.IsDue(oauth, Time.GetUtcNow()))
        {
            return item;
        }
        try
        {
            return item with { OAuth = await RenewAsync(server, oauth, cancellationToken).ConfigureAwait(false) };
        }
        catch (McpAuthException e) when (oauth.ExpiresAt > Time.GetUtcNow() && e is { StatusCode: not null } or { Reason: ErrorReason.ServerUnreachable })
        {
            // What the issuer could not or would not do takes no token away that is still good.
            _interaction.Warn($"'{server.Name}' was not renewed, and its token is good for {(oauth.ExpiresAt - Time.GetUtcNow()).Value.TotalSeconds:0} seconds more. {e.Message}");
            return item;
        }
    }

    /// <summary>The server's item as it may be sent: with the plaintext token where there is no other.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint: the server's URL is plain http to another machine.</exception>
    internal async Task<ServerSecrets?> ReadAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        if (server.Plaintext.HasSecret && _warnedOfPlaintext.TryAdd(server.Id, true))
        {
            _interaction.Warn(_environment.Remedies.Format(
                $"A secret of '{server.Name}' lies in plaintext in config.json. Take it into the vault with: "
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

    /// <summary>Keeps a bearer token; an OAuth credential that it replaces is revoked first.</summary>
    /// <returns>Why that revocation failed; null where it did not.</returns>
    public Task<string?> SetTokenAsync(McpServer server, string token, string? vault, CancellationToken cancellationToken) =>
        _secrets.SetTokenAsync(server, token, vault, cancellationToken);

    private async Task<(string Resource, AuthorizationServerMetadata Issuer)> FindIssuerAsync(McpServer server, ServerSecrets item, RestrictedHttpClient http,
        UrlPolicy policy, CancellationToken cancellationToken) =>
        await SignInTarget.FindAsync(http, policy, server, item, null, null, cancellationToken).ConfigureAwait(false) is { } target
            ? (target.Resource, target.WithPkce().Issuer)
            : throw new McpAuthException(ErrorReason.MetadataInvalid, $"'{server.Name}' names no issuer that could renew its token.",
                new SignInStep(server))
            { Server = server.Name };

    /// <summary>What another program wrote was not looked at when it was kept.</summary>
    private static void RequireSendable(McpServer server, string token)
    {
        if (BearerToken.Fault(token) is { } fault)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"The bearer token of '{server.Name}' in config.json cannot be sent: {fault}.",
                new SetTokenStep(server))
            { Server = server.Name };
        }
    }
}

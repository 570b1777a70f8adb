using McpSm.Core.Clients;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Probing;
using McpSm.Core.Servers;
using McpSm.Core.Vaults;

namespace McpSm.Core;

/// <summary>The front door: sign in, sign out, renew, status, token, test.</summary>
public sealed class Authenticator
{
    private readonly Home _home;
    private readonly IAuthInteraction _interaction;
    private readonly IProgress<string>? _progress;
    private readonly CredentialStore _store;
    private readonly Renewal _renewal;

    public Authenticator(Home home, IAuthInteraction interaction, IProgress<string>? progress = null,
        IEnumerable<IVaultSource>? vaults = null)
    {
        _home = home;
        _interaction = interaction;
        _progress = progress;
        _store = new CredentialStore(home, new VaultSelector(home, vaults ?? [], interaction.Notice));
        _renewal = new Renewal(home, _store);
        Catalog = new ServerCatalog(home);
    }

    public ServerCatalog Catalog { get; }

    /// <summary>The status of servers, from the facts file alone.</summary>
    /// <param name="failure">Why the facts cannot be read; every status is then Unknown.</param>
    public IReadOnlyList<McpAuthStatus> Status(IEnumerable<McpServer> servers, out McpAuthException? failure)
    {
        failure = null;
        IReadOnlyDictionary<string, ServerFacts> facts = new Dictionary<string, ServerFacts>();
        try
        {
            facts = _store.Facts.Read();
        }
        catch (McpAuthException e)
        {
            failure = e;
        }
        var unreadable = failure is null ? null : $"{failure.Message} {failure.Remedy}";
        var now = _home.Time.GetUtcNow();
        return [.. servers.Select(s => McpAuthStatus.Of(s, facts.GetValueOrDefault(s.Id), now, unreadable))];
    }

    public McpAuthStatus Status(McpServer server) => Status([server], out _)[0];

    /// <summary>Signs in.</summary>
    /// <exception cref="McpAuthException">OAuthDisabled, InteractionRequired, and the reasons of every step.</exception>
    public async Task<ConnectResult> ConnectAsync(McpServer server, ConnectOptions options, CancellationToken cancellationToken)
    {
        if (server.OAuth == OAuthMode.Off)
        {
            throw new McpAuthException(ErrorReason.OAuthDisabled, $"Signing in to '{server.Name}' is off.",
                $"mcpsm server update {server.Id} --oauth") { Server = server.Name };
        }
        if (!_interaction.CanAnswer)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired,
                $"Signing in to '{server.Name}' needs a person, and nobody can answer here.",
                $"Run 'mcpsm auth login {server.Id}' at a prompt, or keep a token with 'mcpsm auth set {server.Id} -'. "
                + "MCPSM_INTERACTIVE=1 says that somebody is there.") { Server = server.Name };
        }
        ServerUrl.RequireSecure(server);
        try
        {
            return await SignInAsync(server, options, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            throw e.For(server.Name);
        }
    }

    /// <summary>Renews now; where another process has just done so, that is the result.</summary>
    public async Task<OAuthCredential> RenewAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        return await RenewAsync(server, item?.OAuth ?? throw SignInNeeded(server, item), cancellationToken).ConfigureAwait(false);
    }

    internal Task<OAuthCredential> RenewAsync(McpServer server, OAuthCredential seen, CancellationToken cancellationToken) =>
        _renewal.RenewAsync(server, seen, cancellationToken);

    /// <summary>A valid access token, renewed first if need be.</summary>
    /// <exception cref="McpAuthException">AuthenticationRequired, RefreshTokenRejected, ServerUnreachable, …</exception>
    public async Task<string> GetTokenAsync(McpServer server, CancellationToken cancellationToken)
    {
        ServerUrl.RequireSecure(server);
        var item = await ReadForUseAsync(server, cancellationToken).ConfigureAwait(false);
        if (item?.OAuth is { } oauth && oauth.ExpiresAt <= _home.Time.GetUtcNow())
        {
            throw new McpAuthException(ErrorReason.AuthenticationRequired, $"The token of '{server.Name}' has expired.",
                $"mcpsm auth login {server.Id}") { Server = server.Name };
        }
        return TokenOf(item) ?? throw SignInNeeded(server, item);
    }

    /// <summary>The server's item with a token that is not about to expire, where that can be had.</summary>
    internal async Task<ServerItem?> ReadForUseAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        if (TokenOf(item) is null && server.Plaintext.BearerToken is { } plaintext)
        {
            _interaction.Notice($"The token of '{server.Name}' lies in plaintext in config.json. Keep a new one in the vault with: mcpsm auth set {server.Id}");
            item = (item ?? new ServerItem { Url = server.Url }) with { BearerToken = plaintext };
        }
        if (item is not null)
        {
            ServerUrl.RequireSecure(server);
        }
        return item?.OAuth is { RefreshToken: not null } oauth && Renewal.IsDue(oauth, _home.Time.GetUtcNow())
            ? item with { OAuth = await _renewal.RenewAsync(server, oauth, cancellationToken).ConfigureAwait(false) } : item;
    }

    /// <summary>Keeps a bearer token; an OAuth credential that it replaces is revoked first.</summary>
    /// <returns>Why that revocation failed; null where it did not.</returns>
    public async Task<string?> SetTokenAsync(McpServer server, string token, string? vault, CancellationToken cancellationToken)
    {
        if (!BearerToken.IsValid(token))
        {
            throw new McpAuthException(ErrorReason.InvalidValue,
                "That token cannot be sent: it is empty, or has spaces or characters outside ASCII.") { Server = server.Name };
        }
        ServerUrl.RequireSecure(server);
        using var held = await _store.LockAsync(server, cancellationToken).ConfigureAwait(false);
        var raw = await _store.ReadRawAsync(server, cancellationToken).ConfigureAwait(false);
        var failure = await RevokeAsync(server, raw?.OAuth, cancellationToken).ConfigureAwait(false);
        var kept = raw?.IsFor(server) == true ? raw : new ServerItem { Url = server.Url };
        await _store.WriteAsync(server, kept with { Url = server.Url, BearerToken = token, OAuth = null }, vault, cancellationToken).ConfigureAwait(false);
        await RemovePlaintextAsync(server, cancellationToken).ConfigureAwait(false);
        return failure;
    }

    /// <summary>Signs out: revokes the OAuth tokens where the issuer can, and removes them whatever it answers.</summary>
    public Task<DisconnectResult> DisconnectAsync(McpServer server, bool local, CancellationToken cancellationToken) =>
        RemoveCredentialsAsync(server, local, keepBearer: true, cancellationToken);

    /// <summary>Removes every credential of the server, bearer and OAuth, revoking as sign-out does.</summary>
    public async Task<DisconnectResult> ClearAsync(McpServer server, CancellationToken cancellationToken)
    {
        var result = await RemoveCredentialsAsync(server, local: false, keepBearer: false, cancellationToken).ConfigureAwait(false);
        await RemovePlaintextAsync(server, cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <summary>Removes the server with all that is kept for it.</summary>
    public async Task<DisconnectResult> RemoveServerAsync(McpServer server, CancellationToken cancellationToken)
    {
        var result = await RemoveCredentialsAsync(server, local: false, keepBearer: false, cancellationToken).ConfigureAwait(false);
        using (await _store.LockAsync(server, cancellationToken).ConfigureAwait(false))
        {
            await _store.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
        }
        await Catalog.RemoveAsync(server.Id, cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <summary>Keeps the user's secrets for a server: its client's, its headers. Null leaves what there is.</summary>
    /// <param name="newClient">The client or its issuer was changed: it is tied to no issuer yet.</param>
    public async Task SetSecretsAsync(McpServer server, string? clientSecret, IReadOnlyDictionary<string, string>? headers,
        bool newClient, CancellationToken cancellationToken)
    {
        if (clientSecret is null && headers is null && !newClient)
        {
            return;
        }
        using var held = await _store.LockAsync(server, cancellationToken).ConfigureAwait(false);
        var raw = await _store.ReadRawAsync(server, cancellationToken).ConfigureAwait(false);
        if (raw is null && clientSecret is null && headers is null)
        {
            return;
        }
        var item = raw?.IsFor(server) == true ? raw : new ServerItem { Url = server.Url };
        var merged = new Dictionary<string, string>(item.Headers ?? new Dictionary<string, string>(), StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in headers ?? new Dictionary<string, string>())
        {
            if (value.Length == 0)
            {
                merged.Remove(name);
            }
            else
            {
                merged[name] = value;
            }
        }
        await _store.WriteAsync(server, item with
        {
            ClientSecret = clientSecret ?? item.ClientSecret,
            ClientIssuer = newClient ? null : item.ClientIssuer,
            Headers = merged.Count == 0 ? null : merged,
        }, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Connects as an MCP client with the server's credential.</summary>
    public async Task<TestResult> TestAsync(McpServer server, TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            using var handler = new AuthenticatingHandler(server, this);
            return new TestResult(server,
                await ServerProbe.RunAsync(server, handler, limit, () => handler.LastFailure, cancellationToken).ConfigureAwait(false), null);
        }
        catch (McpAuthException e)
        {
            return new TestResult(server, null, e.For(server.Name,
                e.Reason is ErrorReason.AuthenticationRequired or ErrorReason.RefreshTokenRejected or ErrorReason.TokenRejected
                    or ErrorReason.InsufficientScope ? $"mcpsm auth login {server.Id}" : null));
        }
    }

    internal static string? TokenOf(ServerItem? item) => item?.BearerToken ?? item?.OAuth?.AccessToken;

    /// <summary>The server's own headers: those in the vault over those in <c>config.json</c>.</summary>
    internal static IReadOnlyDictionary<string, string> HeadersOf(McpServer server, ServerItem? item)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (UrlPolicy.IsSecure(server.Uri))
        {
            foreach (var (name, value) in server.Plaintext.Headers.Concat(item?.Headers ?? new Dictionary<string, string>()))
            {
                headers[name] = value;
            }
        }
        return headers;
    }

    private async Task<ConnectResult> SignInAsync(McpServer server, ConnectOptions options, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        var policy = new UrlPolicy(server.Issuer is null ? [server.Uri] : [server.Uri, ServerUrl.Parse(server.Issuer)]);
        using var http = new SafeHttp(policy);
        var signIn = new SignIn(_home, server, item, options, http, policy, new ClientRegistry(_home, _store), _interaction, _progress);
        if (await signIn.DiscoverAsync(cancellationToken).ConfigureAwait(false) is not var (resource, issuer, scopes))
        {
            await _store.Facts.WriteAsync(server.Id, f => f is null or { Kind: CredentialKind.None }
                ? (f ?? new ServerFacts()) with { Url = server.Url, SeenOpen = true } : f, cancellationToken).ConfigureAwait(false);
            return new ConnectResult(server, Status(server), NeedsNone: true);
        }
        if (server.OAuth == OAuthMode.Unset)
        {
            server = await Catalog.UpdateAsync(server.Id, s => s with { OAuth = OAuthMode.On }, cancellationToken).ConfigureAwait(false);
            _interaction.Notice($"'{server.Name}' asks for sign-in: OAuth is now on for it.");
        }
        await _store.PrepareAsync(server, options.Vault, cancellationToken).ConfigureAwait(false);
        var credential = await signIn.RunAsync(resource, issuer, scopes, cancellationToken).ConfigureAwait(false);
        using (await _store.LockAsync(server, cancellationToken).ConfigureAwait(false))
        {
            var now = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false) ?? new ServerItem { Url = server.Url };
            await _store.WriteAsync(server, now with
            {
                Url = server.Url,
                OAuth = credential,
                BearerToken = null,
                ClientIssuer = server.ClientId is null ? now.ClientIssuer : issuer.Issuer,
            }, options.Vault, CancellationToken.None).ConfigureAwait(false);
        }
        return await ProveAsync(server, item, credential, http, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>One authenticated request: a token that the server refuses at once is not kept.</summary>
    private async Task<ConnectResult> ProveAsync(McpServer server, ServerItem? item, OAuthCredential credential, SafeHttp http,
        CancellationToken cancellationToken)
    {
        ServerAnswer answer;
        try
        {
            answer = await ServerQuestion.AskAsync(http, server.Uri, server.Transport == McpTransport.Sse, HeadersOf(server, item),
                credential.AccessToken, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.ServerUnreachable)
        {
            return new ConnectResult(server, Status(server), Unproven: e.Message);
        }
        if (answer.Status == 401)
        {
            await DisconnectAsync(server, local: false, cancellationToken).ConfigureAwait(false);
            throw new McpAuthException(ErrorReason.TokenRejected,
                "The issuer gave a token and the server refused it (401 Unauthorized). It was not kept.",
                "Tell whoever runs the server: it does not accept its own issuer's tokens.") { StatusCode = 401 };
        }
        return new ConnectResult(server, Status(server),
            Unproven: answer.Status >= 400 && answer.Status != 400 ? $"The server answered {ServerQuestion.Words(answer.Status)}." : null);
    }

    private async Task<DisconnectResult> RemoveCredentialsAsync(McpServer server, bool local, bool keepBearer, CancellationToken cancellationToken)
    {
        using var held = await _store.LockAsync(server, cancellationToken).ConfigureAwait(false);
        var raw = await _store.ReadRawAsync(server, cancellationToken).ConfigureAwait(false);
        var hasBearer = raw?.BearerToken is not null || server.Plaintext.BearerToken is not null;
        if (raw is null || (raw.OAuth is null && (keepBearer || raw.BearerToken is null)))
        {
            return new DisconnectResult(false, hasBearer, null);
        }
        var failure = local ? null : await RevokeAsync(server, raw.OAuth, cancellationToken).ConfigureAwait(false);
        var left = raw with { OAuth = null, BearerToken = keepBearer ? raw.BearerToken : null };
        if (left.IsEmpty)
        {
            await _store.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await _store.WriteAsync(server, left, null, cancellationToken).ConfigureAwait(false);
        }
        return new DisconnectResult(raw.OAuth is not null, hasBearer, failure);
    }

    /// <summary>Rule 38: whatever goes wrong here is reported, and keeps nothing alive.</summary>
    private async Task<string?> RevokeAsync(McpServer server, OAuthCredential? credential, CancellationToken cancellationToken)
    {
        if (credential is null)
        {
            return null;
        }
        if (credential.RevocationEndpoint is not { } endpoint)
        {
            return "The issuer offers no revocation; its tokens end when they expire.";
        }
        try
        {
            // The tokens go to the issuer that gave them, wherever the server's URL points by now.
            using var http = new SafeHttp(new UrlPolicy(new Uri(credential.Resource), new Uri(credential.Issuer)));
            return await Revocation.RevokeAsync(http, endpoint, credential.Client, credential.RefreshToken,
                credential.AccessToken, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            return e.Message;
        }
    }

    private async Task RemovePlaintextAsync(McpServer server, CancellationToken cancellationToken)
    {
        if (server.Plaintext.BearerToken is not null)
        {
            await Catalog.RemovePlaintextTokenAsync(server.Id, cancellationToken).ConfigureAwait(false);
        }
    }

    private static McpAuthException SignInNeeded(McpServer server, ServerItem? item) => item?.BearerToken is not null
        ? new McpAuthException(ErrorReason.AuthenticationRequired, $"'{server.Name}' has a bearer token, which nothing can renew.",
            $"mcpsm auth set {server.Id}") { Server = server.Name }
        : new McpAuthException(ErrorReason.AuthenticationRequired, $"You are not signed in to '{server.Name}'.",
            $"mcpsm auth login {server.Id}") { Server = server.Name };
}

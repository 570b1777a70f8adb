using System.Collections.Concurrent;
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
    private readonly VaultSelector _vaults;
    private readonly CredentialStore _store;
    private readonly Renewal _renewal;
    private readonly SignOut _signOut;
    private readonly SignIn _signIn;
    private readonly OwnClient _ownClient;
    private readonly OwnSecrets _secrets;
    private readonly CredentialImport _import;
    private readonly ServerEditor _editor;
    private readonly ConcurrentDictionary<string, bool> _toldOfPlaintext = [];

    // Of many sign-ins at once each has the person's browser, and the callback port, to itself.
    private readonly SemaphoreSlim _person = new(1);

    /// <param name="progress">Is told, step by step, what a sign-in, renewal or sign-out does: every URL, and no secret.</param>
    public Authenticator(Home home, IAuthInteraction interaction, IProgress<string>? progress = null,
        IEnumerable<IVaultSource>? vaults = null) : this(home, interaction, progress, vaults, null)
    {
    }

    /// <param name="entraTransport">Makes what carries the requests to Entra ID; sockets where null.</param>
    internal Authenticator(Home home, IAuthInteraction interaction, IProgress<string>? progress, IEnumerable<IVaultSource>? vaults,
        Func<HttpMessageHandler>? entraTransport)
    {
        var entra = new EntraGrant(home, entraTransport, progress);
        _home = home;
        _interaction = interaction;
        Catalog = new ServerCatalog(home);
        _vaults = new VaultSelector(home, vaults ?? [], interaction.Notice);
        _store = new CredentialStore(home, _vaults);
        _renewal = new Renewal(home, _store, entra, FindIssuerAsync, progress);
        var revoking = new Revoking(home, progress);
        _signOut = new SignOut(_store, revoking);
        _signIn = new SignIn(home, _store, Catalog, revoking, entra, interaction, progress);
        _ownClient = new OwnClient(home, _store, interaction);
        _secrets = new OwnSecrets(_store, Catalog, revoking);
        _import = new CredentialImport(home, _store, Catalog);
        _editor = new ServerEditor(Catalog, _secrets);
    }

    public ServerCatalog Catalog { get; }

    /// <summary>What other tools get by name.</summary>
    public ServedSecrets Secrets => new(this, new NamedSecrets(_home, _store.Facts, _vaults), File);

    internal TimeProvider Time => _home.Time;

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
        var plaintext = PlaintextTokens.Ids(_home);
        return [.. servers.Select(s => McpAuthStatus.Of(s, facts.GetValueOrDefault(s.Id), now, unreadable, plaintext.GetValueOrDefault(s.Id)))];
    }

    public McpAuthStatus Status(McpServer server) => Status([server], out _)[0];

    /// <summary>Signs in.</summary>
    /// <exception cref="McpAuthException">OAuthDisabled, InteractionRequired, and the reasons of every step.</exception>
    public Task<ConnectResult> ConnectAsync(McpServer server, ConnectOptions options, CancellationToken cancellationToken) =>
        ConnectAsync(server, options, null, cancellationToken);

    /// <param name="refusal">The answer to a request that is repeated afterwards; null where there is none.</param>
    internal async Task<ConnectResult> ConnectAsync(McpServer server, ConnectOptions options, Refusal? refusal,
        CancellationToken cancellationToken)
    {
        if (server.OAuth == OAuthMode.Off)
        {
            throw new McpAuthException(ErrorReason.OAuthDisabled, $"Signing in to '{server.Name}' is off.",
                $"mcpsm server update {server.Id} --oauth") { Server = server.Name };
        }
        var client = await _ownClient.FindAsync(server, options, cancellationToken).ConfigureAwait(false);
        if (client is null && !_interaction.CanAnswer)
        {
            throw new McpAuthException(ErrorReason.InteractionRequired,
                $"Signing in to '{server.Name}' needs a person, and nobody can answer here.",
                $"Run 'mcpsm auth login {server.Id}' at a prompt, or keep a token with 'mcpsm auth set {server.Id} -'. "
                + $"{OwnClient.HowToGive}, to sign in as a client. MCPSM_INTERACTIVE=1 says that somebody is there.") { Server = server.Name };
        }
        ServerUrl.RequireSecure(server);
        using var turn = client is null ? await TakeTurnAsync(cancellationToken).ConfigureAwait(false) : null;
        try
        {
            var signedIn = await _signIn.RunAsync(server, options, client, refusal, cancellationToken).ConfigureAwait(false);
            return signedIn is var (now, unproven) ? new ConnectResult(now, Status(now), ConnectOutcome.SignedIn, unproven)
                : new ConnectResult(server, Status(server), ConnectOutcome.NeedsNone);
        }
        catch (McpAuthException e)
        {
            throw e.For(server.Name, $"mcpsm auth login {server.Id}");
        }
    }

    private async Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken)
    {
        await _person.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Turn(_person);
    }

    private sealed class Turn(SemaphoreSlim turns) : IDisposable
    {
        public void Dispose() => turns.Release();
    }

    /// <summary>Makes sure of a usable credential: what is valid stays, what can be renewed is renewed, else signs in.</summary>
    /// <exception cref="McpAuthException">As <see cref="ConnectAsync"/>; also where renewal fails for now (ServerUnreachable).</exception>
    public async Task<ConnectResult> EnsureConnectedAsync(McpServer server, ConnectOptions options, CancellationToken cancellationToken)
    {
        var status = Status(server);
        if (status.State is AuthState.Authenticated or AuthState.BearerToken or AuthState.NoAuth
            || status is { State: AuthState.Unknown, Kind: CredentialKind.OAuth })
        {
            return new ConnectResult(server, status, ConnectOutcome.Valid);
        }
        if (status.CanRenew)
        {
            try
            {
                await RenewAsync(server, cancellationToken).ConfigureAwait(false);
                return new ConnectResult(server, Status(server), ConnectOutcome.Renewed);
            }
            catch (McpAuthException e) when (e.Reason is ErrorReason.RefreshTokenRejected or ErrorReason.AuthenticationRequired)
            {
                _interaction.Notice($"'{server.Name}': {e.Message}");
            }
            catch (McpAuthException e) when (e.Reason is ErrorReason.ClientRejected)
            {
                // A client signed in here: a person does not take its place unasked.
                var given = await _ownClient.ReplacementAsync(server, cancellationToken).ConfigureAwait(false);
                options = given is null ? throw e.For(server.Name) : options with { ClientCredentials = given };
            }
        }
        return await ConnectAsync(server, options with { ByName = false }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Renews now; where another process has just done so, that is the result.</summary>
    public async Task<OAuthCredential> RenewAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        return await RenewAsync(server, item?.OAuth ?? throw SignInNeeded(server, item), cancellationToken).ConfigureAwait(false);
    }

    internal async Task<OAuthCredential> RenewAsync(McpServer server, OAuthCredential seen, CancellationToken cancellationToken)
    {
        try
        {
            return await _renewal.RenewAsync(server, seen, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e)
        {
            throw e.For(server.Name, $"mcpsm auth login {server.Id}");
        }
    }

    /// <summary>Does not keep a token that was just given and that the server refuses.</summary>
    internal async Task<McpAuthException> DropAsync(McpServer server, OAuthCredential credential) =>
        (await _signIn.DropAsync(server, credential, null).ConfigureAwait(false)).For(server.Name);

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
        return item?.Token ?? throw SignInNeeded(server, item);
    }

    /// <summary>The server's item with a token that is not about to expire, where that can be had.</summary>
    private async Task<ServerItem?> ReadForUseAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await ReadAsync(server, cancellationToken).ConfigureAwait(false);
        return item?.OAuth is { CanRenew: true } oauth && Renewal.IsDue(oauth, Time.GetUtcNow())
            ? item with { OAuth = await RenewAsync(server, oauth, cancellationToken).ConfigureAwait(false) } : item;
    }

    /// <summary>The server's item as it may be sent: with the plaintext token where there is no other.</summary>
    /// <exception cref="McpAuthException">UnsafeEndpoint: the server's URL is plain http to another machine.</exception>
    internal async Task<ServerItem?> ReadAsync(McpServer server, CancellationToken cancellationToken)
    {
        var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
        if (server.Plaintext.HasSecret && _toldOfPlaintext.TryAdd(server.Id, true))
        {
            _interaction.Notice($"A secret of '{server.Name}' lies in plaintext in config.json. Take it into the vault with: mcpsm import {server.Id}");
        }
        if (item?.Token is null && server.Plaintext.BearerToken is { } plaintext)
        {
            RequireSendable(server, plaintext);
            item = (item ?? new ServerItem { Url = server.Url }) with { BearerToken = plaintext };
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

    /// <summary>Signs out: revokes the OAuth tokens where the issuer can, and removes them whatever it answers.</summary>
    /// <param name="local">Does not tell the issuer.</param>
    public Task<DisconnectResult> DisconnectAsync(McpServer server, bool local, CancellationToken cancellationToken) =>
        _signOut.RunAsync(server, local, keepBearer: true, cancellationToken);

    /// <summary>Removes every credential of the server, bearer and OAuth, revoking as sign-out does.</summary>
    public async Task<DisconnectResult> ClearAsync(McpServer server, CancellationToken cancellationToken)
    {
        var result = await _signOut.RunAsync(server, local: false, keepBearer: false, cancellationToken).ConfigureAwait(false);
        await _secrets.RemovePlaintextAsync(server, cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <summary>Adds a server with the secrets that are given for it.</summary>
    /// <exception cref="McpAuthException">ServerAlreadyExists, InvalidServerName, InvalidServerUrl, InvalidValue, …</exception>
    public Task<ServerChanged> AddServerAsync(ServerChange change, CancellationToken cancellationToken) =>
        _editor.AddAsync(change, cancellationToken);

    /// <summary>Changes a server and the secrets that are given for it.</summary>
    /// <exception cref="McpAuthException">ServerNotFound, and what adding one may throw.</exception>
    public Task<ServerChanged> UpdateServerAsync(McpServer server, ServerChange change, CancellationToken cancellationToken) =>
        _editor.UpdateAsync(server, change, cancellationToken);

    /// <summary>The server of that URL; where there is none it is added, named after its host.</summary>
    public Task<(McpServer Server, bool IsNew)> FindOrAddServerAsync(string url, CancellationToken cancellationToken) =>
        _editor.FindOrAddAsync(url, cancellationToken);

    /// <summary>Removes the server with all that is kept for it.</summary>
    public async Task<DisconnectResult> RemoveServerAsync(McpServer server, CancellationToken cancellationToken)
    {
        var result = await _signOut.RunAsync(server, local: false, keepBearer: false, cancellationToken).ConfigureAwait(false);
        using (await _store.LockAsync(server, cancellationToken).ConfigureAwait(false))
        {
            await _store.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
        }
        await Catalog.RemoveAsync(server.Id, cancellationToken).ConfigureAwait(false);
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
                var answer = await ServerProbe.RunAsync(server, handler, limit, cancellationToken).ConfigureAwait(false);
                return McpTestResult.Of(server, Status(server).State, answer).Without(await SecretsAsync(server, cancellationToken).ConfigureAwait(false));
            }
            finally
            {
                await handler.EndAsync().ConfigureAwait(false);
            }
        }
        catch (McpAuthException e)
        {
            return McpTestResult.Of(server, Status(server).State, e.For(server.Name,
                e.Reason is ErrorReason.AuthenticationRequired or ErrorReason.RefreshTokenRejected or ErrorReason.TokenRejected
                    or ErrorReason.InsufficientScope ? $"mcpsm auth login {server.Id}" : null))
                .Without(await SecretsAsync(server, cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>What the server was sent, and could echo in its name or in where it says it has moved to.</summary>
    private async Task<IReadOnlyList<string?>> SecretsAsync(McpServer server, CancellationToken cancellationToken)
    {
        try
        {
            var item = await _store.ReadAsync(server, cancellationToken).ConfigureAwait(false);
            return [item?.Token, server.Plaintext.BearerToken, .. ServerItem.HeadersFor(server, item).Values];
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
        if ((item?.Token ?? server.Plaintext.BearerToken) is not { } token || !server.IsSecure)
        {
            return status;
        }
        RequireSendable(server, token);
        using var http = new SafeHttp(new UrlPolicy(server.Uri));
        var answer = await ServerQuestion.AskAsync(http, server.Uri, server.Transport == McpTransport.Sse,
            ServerItem.HeadersFor(server, item), token, cancellationToken).ConfigureAwait(false);
        return answer.Status != 401 ? status : status with
        {
            State = AuthState.Expired,
            Remedy = status.CanRenew ? $"mcpsm auth refresh {server.Id}"
                : status.Kind == CredentialKind.Bearer ? $"mcpsm auth set {server.Id}" : $"mcpsm auth login {server.Id}",
        };
    }

    /// <summary>The vaults of this system, which is in use, and why.</summary>
    public Task<IReadOnlyList<McpVault>> VaultsAsync(CancellationToken cancellationToken) => _vaults.ListAsync(cancellationToken);

    /// <summary>The name of the vault that a server's credential is in, or would be kept in; null where none is chosen yet.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public string? VaultNameFor(McpServer? server) => (server is null ? null : _store.Facts.Read(server.Id)?.Vault) ?? _vaults.NameInUse;

    /// <summary>Chooses the vault for what is kept from now on, after it wrote, read and removed.</summary>
    /// <returns>The names of servers whose credentials stay where they are.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt.</exception>
    public async Task<IReadOnlyList<string>> UseVaultAsync(string name, CancellationToken cancellationToken)
    {
        await _vaults.UseAsync(name, cancellationToken).ConfigureAwait(false);
        var facts = _store.Facts.Read();
        return [.. Catalog.List().Where(s => facts.GetValueOrDefault(s.Id)?.Vault is { } kept && kept != name).Select(s => s.Name)];
    }

    /// <summary>Chooses the vault and takes all that is kept elsewhere along; also finishes a move that was cut off.</summary>
    /// <returns>How many items were moved.</returns>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, SecretTooLarge: each item is still where it was, or where it went.</exception>
    public async Task<int> MoveToVaultAsync(string name, CancellationToken cancellationToken)
    {
        var moved = await new VaultMove(_home, _store, _vaults).RunAsync(name, cancellationToken).ConfigureAwait(false);
        _vaults.TellOfVariable(name);
        return moved.Count;
    }

    /// <summary>Whether the encrypted file is, or would be made, under a passphrase.</summary>
    /// <exception cref="McpAuthException">VaultCorrupt.</exception>
    public bool FileUsesPassphrase => File.UsesPassphrase;

    /// <summary>Puts the encrypted file under another key.</summary>
    /// <param name="passphrase">The new passphrase; null for a new key in the key file.</param>
    /// <exception cref="McpAuthException">InvalidValue: an empty passphrase. VaultLocked, VaultCorrupt; the file then opens as before.</exception>
    public Task RekeyFileAsync(string? passphrase, CancellationToken cancellationToken) => passphrase is ""
        ? throw new McpAuthException(ErrorReason.InvalidValue, "The passphrase is empty.") : File.RekeyAsync(passphrase, cancellationToken);

    /// <summary>What there is in plaintext for a server, which <see cref="ImportAsync"/> would take over.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt: a file of tokens does not parse.</exception>
    public IReadOnlyList<PlaintextSecret> FindPlaintext(McpServer server) => _import.Find(server);

    /// <summary>The ids in files of plaintext tokens that no server has.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<string> FindForeignPlaintext() =>
        [.. PlaintextTokens.Read(_home).Select(t => t.ServerId).Except(Catalog.List().Select(s => s.Id)).Select(ForeignText.Clean)];

    /// <summary>Takes the server's plaintext secrets into the vault, and out of the files once the vault has given them back.</summary>
    /// <param name="force">Also removes plaintext in whose place the vault has something else.</param>
    /// <exception cref="McpAuthException">The vault's reasons; ConfigurationCorrupt. The plaintext then still stands.</exception>
    public Task<IReadOnlyList<McpImport>> ImportAsync(McpServer server, string? vault, bool force, CancellationToken cancellationToken) =>
        _import.RunAsync(server, vault, force, cancellationToken);

    private async Task<(string Resource, IssuerMetadata Issuer)> FindIssuerAsync(McpServer server, ServerItem item, SafeHttp http,
        UrlPolicy policy, CancellationToken cancellationToken) =>
        await SignInTarget.FindAsync(http, policy, server, item, null, null, cancellationToken).ConfigureAwait(false) is { } target
            ? (target.Resource, target.WithPkce().Issuer)
            : throw new McpAuthException(ErrorReason.MetadataInvalid, $"'{server.Name}' names no issuer that could renew its token.",
                $"mcpsm auth login {server.Id}") { Server = server.Name };

    /// <summary>What another program wrote was not looked at when it was kept.</summary>
    private static void RequireSendable(McpServer server, string token)
    {
        if (!BearerToken.IsValid(token))
        {
            throw new McpAuthException(ErrorReason.InvalidValue,
                $"The bearer token of '{server.Name}' in config.json cannot be sent: it has spaces or characters outside ASCII.",
                $"mcpsm auth set {server.Id}") { Server = server.Name };
        }
    }

    private EncryptedFileVault File => (EncryptedFileVault)_vaults.Find(EncryptedFileVault.VaultName);

    internal static McpAuthException SignInNeeded(McpServer server, ServerItem? item) =>
        (item?.BearerToken ?? server.Plaintext.BearerToken) is not null
        ? new McpAuthException(ErrorReason.AuthenticationRequired, $"'{server.Name}' has a bearer token, which nothing can renew.",
            $"mcpsm auth set {server.Id}") { Server = server.Name }
        : new McpAuthException(ErrorReason.AuthenticationRequired, $"You are not signed in to '{server.Name}'.",
            $"mcpsm auth login {server.Id}") { Server = server.Name };
}

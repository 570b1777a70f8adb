using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Core.Management.McpRemote;

/// <summary>
/// Takes over servers, tokens and registrations of the npm package <c>mcp-remote</c>. A file is bound to a URL by its name, which is a hash of the URL,
/// and then by the server, which must accept the token. The files are removed after the vault has returned what they contain.
/// </summary>
internal sealed class McpRemoteImporter(AppEnvironment environment, CredentialStore store, ServerCatalog catalog, ServerManager servers, TokenService tokens,
    IProgress<string>? progress)
{
    /// <summary>Finds what <see cref="RunAsync"/> would take over.</summary>
    /// <param name="urls">URLs that the user names, exactly as they were given to <c>mcp-remote</c>.</param>
    /// <param name="only">The servers to take over alone; null for all, which may add servers.</param>
    /// <param name="projectFolder">The folder whose project files are read too; null to read none.</param>
    /// <param name="cancellationToken">Cancels reading.</param>
    /// <exception cref="McpAuthException">ConfigurationCorrupt: the catalog.</exception>
    public McpRemotePlan Find(IReadOnlyList<string> urls, IReadOnlyList<McpServer>? only, string? projectFolder, CancellationToken cancellationToken)
    {
        var clients = new McpRemoteClients(environment, projectFolder);
        var (configured, unreadable) = clients.Find(cancellationToken);
        var all = catalog.List();
        McpRemoteEntry[] candidates =
        [
            .. configured,
            .. urls.SelectMany(url => Variants(url.Trim())).Select(url => new McpRemoteEntry { Url = url }),
            .. all.SelectMany(server => Variants(server.Url).Select(url => new McpRemoteEntry
            {
                Url = url,
                Name = server.Name,
                Resource = server.Resource == ResourceParameter.None ? null : server.Resource,
                AuthorizeParams = server.AuthorizeParams,
            })),
        ];
        var folders = configured.Select(entry => entry.Variables.GetValueOrDefault("MCP_REMOTE_CONFIG_DIR")).OfType<string>();
        var (found, unusable) = new McpRemoteStore(environment).Read(folders.Where(Path.IsPathFullyQualified), cancellationToken);
        var items = new List<McpRemoteItem>();
        var matched = new HashSet<McpRemoteTokens>();
        foreach (var entry in candidates)
        {
            var (hashes, server) = (entry.Hashes.ToList(), FindServer(all, entry));
            var own = found.Where(set => hashes.Contains(set.Hash) && !matched.Contains(set)).ToList();
            var mayAdd = only is null && (own.Count > 0 || (entry.File is not null && !clients.IsOfProject(entry)));
            if ((server is null ? !mayAdd : only?.All(one => one.Id != server.Id) == true || (own.Count == 0 && entry.File is null))
                || (own.Count == 0 && items.Any(item => item.Entry.Url == entry.Url && item.Entry.Resource == entry.Resource)))
            {
                continue;
            }
            matched.UnionWith(own);
            items.Add(new McpRemoteItem(entry, own.FirstOrDefault(), server) { Older = [.. own.Skip(1)] });
        }
        var unknown = found.Where(set => only is null && !matched.Contains(set)).Select(set => (set.File, "its server is unknown"));
        return new McpRemotePlan(items, [.. unknown, .. only is null ? unusable.Concat(unreadable) : []]);
    }

    /// <summary>Takes over a server: adds it if it is new, and moves its tokens into the vault.</summary>
    /// <param name="item">What was found.</param>
    /// <param name="vault">The vault for the tokens; null for the one that the server uses, or the selected one.</param>
    /// <param name="force">Also removes files if the vault has another credential in their place.</param>
    /// <param name="warn">Receives what could not be taken over.</param>
    /// <param name="cancellationToken">Cancels the import.</param>
    /// <returns>The server, whether it was added, and what became of the tokens; null if there are none.</returns>
    /// <exception cref="McpAuthException">The reasons of the catalog and of the vault. The files are then unchanged.</exception>
    public async Task<(McpServer Server, bool IsNew, McpImport? Tokens)> RunAsync(McpRemoteItem item, string? vault, bool force, Action<string> warn,
        CancellationToken cancellationToken)
    {
        var server = item.Server ?? FindServer(catalog.List(), item.Entry)
            ?? (await servers.AddAsync(McpRemoteServer.Create(item.Entry, catalog.List(), warn), cancellationToken).ConfigureAwait(false)).Server;
        var isNew = item.Server is null;
        if (item.Tokens is not { } found)
        {
            return (server, isNew, null);
        }
        var reason = await TakeAsync(server, found, item.Entry, vault, cancellationToken).ConfigureAwait(false);
        var isStored = reason is null;
        var isRemoved = (isStored || force) && McpRemoteStore.Remove(found, cancellationToken);
        foreach (var older in item.Older.Where(_ => isRemoved))
        {
            McpRemoteStore.Remove(older, cancellationToken);
        }
        return (server, isNew, new McpImport(server, new PlaintextSecret(PlaintextKind.OAuthTokens, null, found.File))
        {
            Vault = isStored ? store.Index.Read(server.Id)?.Vault : null,
            Removed = isRemoved,
            Reason = isStored ? isRemoved ? null : "the file cannot be removed, or mcp-remote has written another token to it" : reason,
        });
    }

    /// <summary>A URL as it is, and with or without a slash at its end: the hash tells them apart, and people do not.</summary>
    private static string[] Variants(string url) => [url, url.EndsWith('/') ? url[..^1] : url + "/"];

    /// <summary>Returns the only server of the catalog that the entry can be of. Entries with other resources are other servers.</summary>
    private static McpServer? FindServer(IReadOnlyList<McpServer> all, McpRemoteEntry entry)
    {
        var same = ServerLookup.AtUrl(all, entry.Url).Where(server => entry.Resource is null || server.Resource == entry.Resource).ToList();
        return same is [var one] ? one : same.FirstOrDefault(server => entry.Name is not null && ServerCatalog.HasName(server, entry.Name));
    }

    /// <summary>Moves tokens into the vault.</summary>
    /// <returns>Why that was not done, as a clause; null if it was.</returns>
    private async Task<string?> TakeAsync(McpServer server, McpRemoteTokens found, McpRemoteEntry entry, string? vault, CancellationToken cancellationToken)
    {
        if (!server.IsSecure)
        {
            return "the server's URL is plain http to another machine";
        }
        using var http = new RestrictedHttpClient(server.PolicyIn(environment), progress);
        ServerSecrets before;
        OAuthCredential credential;
        bool isAccepted;
        using (await store.LockAsync(server, cancellationToken).ConfigureAwait(false))
        {
            server = catalog.Reload(server);
            var raw = await store.ReadRawAsync(server, cancellationToken, vault).ConfigureAwait(false);
            before = raw?.UsableFor(server) ?? new ServerSecrets { Url = server.Url };
            if (before.OAuth?.AccessToken == found.AccessToken)
            {
                return null;
            }
            if (before.Token is not null)
            {
                return "the vault has another credential in its place";
            }
            var issuer = await FindIssuerAsync(server, before, http, cancellationToken).ConfigureAwait(false);
            if (issuer is not null && found.Issuer is not null && issuer.Value.Metadata.Issuer != found.Issuer)
            {
                return "another issuer gave it than the server names now";
            }
            credential = Create(server, found, entry, issuer);
            isAccepted = await IsAcceptedAsync(http, server, before, credential, cancellationToken).ConfigureAwait(false);
            if (!isAccepted && !credential.CanRenew)
            {
                return "the server does not accept the token, and it cannot be renewed";
            }
            await store.WriteAsync(server, before with { OAuth = credential, Url = server.Url }, vault, cancellationToken).ConfigureAwait(false);
            if ((await store.ReadRawAsync(server, cancellationToken).ConfigureAwait(false))?.OAuth?.AccessToken != found.AccessToken)
            {
                throw new McpAuthException(ErrorReason.VaultUnavailable,
                    $"The vault does not give back what it was given. The files of '{server.Name}' were left.",
                    $"Choose another vault with: {new UseVaultStep()}")
                { Server = server.Name };
            }
        }
        return isAccepted ? null : await RenewAsync(server, before, credential, http, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Renews tokens that have expired, and asks the server for its consent to the new ones.</summary>
    /// <returns>Why the tokens were not taken over; null if they were.</returns>
    private async Task<string?> RenewAsync(McpServer server, ServerSecrets before, OAuthCredential expired, RestrictedHttpClient http,
        CancellationToken cancellationToken)
    {
        OAuthCredential renewed;
        try
        {
            renewed = await tokens.RenewAsync(server, expired, cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (!e.OutcomeUnknown)
        {
            // The refresh token is in the file still, and was not spent.
            await RestoreAsync(server, before).ConfigureAwait(false);
            return $"it has expired, and its renewal failed: {e.Message.TrimEnd('.')}";
        }
        try
        {
            if (await IsAcceptedAsync(http, server, before, renewed, cancellationToken).ConfigureAwait(false))
            {
                return null;
            }
        }
        catch (McpAuthException e) when (e.Reason == ErrorReason.ServerUnreachable)
        {
            // The issuer of this server has renewed them, and the file has a spent refresh token.
            return null;
        }
        await RestoreAsync(server, before).ConfigureAwait(false);
        return "the server accepts neither the token nor the renewed one";
    }

    private async Task RestoreAsync(McpServer server, ServerSecrets before)
    {
        using var held = await store.LockAsync(server, CancellationToken.None).ConfigureAwait(false);
        await (before.IsEmpty ? store.RemoveAsync(server, CancellationToken.None)
            : store.ReplaceAsync(server, before, CancellationToken.None)).ConfigureAwait(false);
    }

    /// <summary>Sends one request with the token. Only the server to whose URL the file is bound gets it.</summary>
    private async Task<bool> IsAcceptedAsync(RestrictedHttpClient http, McpServer server, ServerSecrets item, OAuthCredential credential,
        CancellationToken cancellationToken)
    {
        var now = environment.Time.GetUtcNow();
        if (credential.ExpiresAt <= now)
        {
            return false;
        }
        var answer = await ChallengeProbe.SendAsync(http, server.Uri, server.Transport == McpTransport.Sse, ServerSecrets.HeadersFor(server, item),
            request => credential.Authorize(request, now), cancellationToken).ConfigureAwait(false);
        return answer.Status is >= 200 and < 300;
    }

    /// <summary>Finds who can renew the tokens; null if the server does not tell. Valid tokens can be used without that.</summary>
    private async Task<(string Resource, AuthorizationServerMetadata Metadata)?> FindIssuerAsync(McpServer server, ServerSecrets item,
        RestrictedHttpClient http, CancellationToken cancellationToken)
    {
        try
        {
            return await IssuerFinder.FindAsync(server, item, http, server.PolicyIn(environment), cancellationToken).ConfigureAwait(false);
        }
        catch (McpAuthException e) when (e.Reason != ErrorReason.ServerUnreachable)
        {
            return null;
        }
    }

    private OAuthCredential Create(McpServer server, McpRemoteTokens found, McpRemoteEntry entry,
        (string Resource, AuthorizationServerMetadata Metadata)? issuer)
    {
        var now = environment.Time.GetUtcNow();
        var id = found.ClientId ?? entry.ClientId ?? server.ClientId;
        var kind = id is not null && id == (entry.ClientId ?? server.ClientId) ? ClientKind.PreRegistered
            : id is not null && id == entry.ClientMetadataUrl ? ClientKind.MetadataDocument : ClientKind.Dynamic;
        var secret = found.ClientSecret ?? entry.ClientSecret;
        return new OAuthCredential
        {
            AccessToken = found.AccessToken,
            // A renewal needs the id of the client.
            RefreshToken = id is null ? null : found.RefreshToken,
            IssuedAt = found.WrittenAt < now ? found.WrittenAt : now,
            ExpiresAt = found.ExpiresAt,
            Scopes = found.Scopes,
            Issuer = issuer?.Metadata.Issuer,
            Resource = issuer?.Resource ?? ResourceUri.Canonical(server.Uri),
            TokenEndpoint = issuer?.Metadata.TokenEndpoint,
            RevocationEndpoint = issuer?.Metadata.RevocationEndpoint,
            MetadataReadAt = issuer is null ? default : now,
            Client = issuer is { } known ? ClientIdentity.Create(kind, id ?? "", secret, known.Metadata, found.AuthMethod)
                : new ClientIdentity(kind, id ?? "", secret, secret is null ? ClientIdentity.None : ClientIdentity.Post),
        };
    }
}

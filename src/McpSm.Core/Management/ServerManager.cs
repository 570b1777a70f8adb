using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;

namespace McpSm.Core.Management;

/// <summary>Adds, changes and removes servers: what is public goes to the catalog, what is secret to the vault.</summary>
public sealed class ServerManager
{
    private readonly ServerCatalog _catalog;
    private readonly CredentialStore _store;
    private readonly IAuthInteraction _interaction;
    private readonly ServerSecretsWriter _secrets;
    private readonly SignOutFlow _signOut;

    internal ServerManager(ServerCatalog catalog, CredentialStore store, IAuthInteraction interaction, ServerSecretsWriter secrets, SignOutFlow signOut)
    {
        _catalog = catalog;
        _store = store;
        _interaction = interaction;
        _secrets = secrets;
        _signOut = signOut;
    }

    /// <summary>Adds a server with the secrets that the update contains.</summary>
    /// <exception cref="McpAuthException">ServerAlreadyExists, InvalidServerName, InvalidServerUrl, InvalidValue, …</exception>
    public async Task<ServerUpdateResult> AddAsync(ServerUpdate update, CancellationToken cancellationToken)
    {
        var server = await AddQuietlyAsync(update, cancellationToken).ConfigureAwait(false);
        WarnOfPlainHttp(server);
        return new ServerUpdateResult(server);
    }

    /// <summary>Changes a server and the secrets that the update contains.</summary>
    /// <exception cref="McpAuthException">ServerNotFound, and the reasons of <see cref="AddAsync"/>.</exception>
    public async Task<ServerUpdateResult> UpdateAsync(McpServer server, ServerUpdate update, CancellationToken cancellationToken)
    {
        update.Check();
        var updated = await _catalog.UpdateAsync(server.Id, update.Apply, cancellationToken).ConfigureAwait(false);
        var isComplete = false;
        string? failure;
        try
        {
            failure = await StoreSecretsAsync(updated, server, update, cancellationToken).ConfigureAwait(false);
            isComplete = true;
        }
        finally
        {
            if (!isComplete)
            {
                await _catalog.UpdateAsync(server.Id, _ => server, CancellationToken.None).ConfigureAwait(false);
            }
        }
        if (updated.Url != server.Url)
        {
            WarnOfPlainHttp(updated);
        }
        // Another program may have written an invalid URL, which this update then repairs.
        return new ServerUpdateResult(updated, Uri.TryCreate(server.Url, UriKind.Absolute, out var previous)
            && !ResourceUri.SameOrigin(previous, updated.Uri), failure);
    }

    /// <summary>Finds the server at a URL, or adds it with a name made of its host.</summary>
    /// <exception cref="McpAuthException">InvalidServerUrl; InvalidValue: several servers have that URL.</exception>
    public Task<(McpServer Server, bool IsNew)> FindOrAddAsync(string url, CancellationToken cancellationToken) =>
        FindOrAddAsync(url, null, cancellationToken);

    /// <summary>Finds the server with a name and a URL, or adds it.</summary>
    /// <param name="url">The URL of the server.</param>
    /// <param name="name">The name of the server; null for any server at that URL, and for a name made of the host if it has to be added.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="McpAuthException">InvalidServerUrl, InvalidServerName; InvalidValue: several servers have that URL;
    /// ServerAlreadyExists: a server at another URL has the name.</exception>
    public async Task<(McpServer Server, bool IsNew)> FindOrAddAsync(string url, string? name, CancellationToken cancellationToken)
    {
        var uri = ServerUrl.Parse(url);
        while (true)
        {
            var all = _catalog.List();
            var atUrl = ServerLookup.AtUrl(all, url).Where(s => name is null || ServerCatalog.HasName(s, name)).ToList();
            if (atUrl.Count > 0)
            {
                return atUrl is [var one] ? (one, false) : throw ServerLookup.Ambiguous(atUrl, "have that URL");
            }
            try
            {
                return (await AddQuietlyAsync(new ServerUpdate { Name = name ?? FreeName(all, uri), Url = url }, cancellationToken)
                    .ConfigureAwait(false), true);
            }
            catch (McpAuthException e) when (e.Reason == ErrorReason.ServerAlreadyExists && !all.Any(s => name is not null && ServerCatalog.HasName(s, name)))
            {
                // Another process added a server at the same moment, perhaps this one.
            }
        }
    }

    /// <summary>Removes a server with its credentials and with the client registrations that only this server used.</summary>
    public async Task<SignOutResult> RemoveAsync(McpServer server, CancellationToken cancellationToken)
    {
        var issuers = _store.Registrations.IssuersOf(server);
        var result = await _signOut.RunAsync(server, local: false, keepBearer: false, cancellationToken).ConfigureAwait(false);
        using (await _store.LockAsync(server, cancellationToken).ConfigureAwait(false))
        {
            await _store.RemoveAsync(server, cancellationToken).ConfigureAwait(false);
            // Under the lock: a process that waits for the lock to store a credential must find that the server is gone.
            await _catalog.RemoveAsync(server.Id, cancellationToken).ConfigureAwait(false);
        }
        await LeaveRegistrationsAsync(server, issuers, cancellationToken).ConfigureAwait(false);
        return result;
    }

    /// <summary>Stores a bearer token. An OAuth credential that it replaces is revoked first.</summary>
    /// <param name="server">The server.</param>
    /// <param name="token">The token, without "Bearer" in front of it.</param>
    /// <param name="vault">The vault to store it in; null for the one that the server uses, or the selected one.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Why the revocation failed; null if it did not.</returns>
    /// <exception cref="McpAuthException">InvalidValue, UnsafeEndpoint, and the reasons of the vault.</exception>
    public Task<string?> SetTokenAsync(McpServer server, string token, string? vault, CancellationToken cancellationToken) =>
        _secrets.SetTokenAsync(server, token, vault, cancellationToken);

    /// <summary>Removes every credential of a server, bearer and OAuth, and revokes as a sign-out does.</summary>
    public async Task<SignOutResult> ClearCredentialsAsync(McpServer server, CancellationToken cancellationToken)
    {
        var result = await _signOut.RunAsync(server, local: false, keepBearer: false, cancellationToken).ConfigureAwait(false);
        await _secrets.RemovePlaintextAsync(server, cancellationToken).ConfigureAwait(false);
        return result;
    }

    private async Task<McpServer> AddQuietlyAsync(ServerUpdate update, CancellationToken cancellationToken)
    {
        update.Check();
        // An empty text removes a setting; a new server has none.
        update = update with
        {
            ClientId = NullIfEmpty(update.ClientId),
            Issuer = NullIfEmpty(update.Issuer),
            ClientMetadataUrl = NullIfEmpty(update.ClientMetadataUrl),
        };
        var server = await _catalog.AddAsync(update.Apply(new McpServer { Id = "", Name = "", Url = "" }), cancellationToken).ConfigureAwait(false);
        var isComplete = false;
        try
        {
            await StoreSecretsAsync(server, null, update, cancellationToken).ConfigureAwait(false);
            isComplete = true;
            return server;
        }
        finally
        {
            if (!isComplete)
            {
                // Without its secrets the server would only fail later.
                await _catalog.RemoveAsync(server.Id, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private void WarnOfPlainHttp(McpServer server)
    {
        if (!server.IsSecure)
        {
            _interaction.Warn($"'{server.Name}' is at a plain http address of another machine. No credential is sent there; use https for that.");
        }
    }

    /// <summary>Removes the registrations that only this server used. The server is removed already, so a vault that fails is only a warning.</summary>
    private async Task LeaveRegistrationsAsync(McpServer server, IReadOnlyList<string> issuers, CancellationToken cancellationToken)
    {
        var others = _catalog.List();
        foreach (var issuer in issuers)
        {
            try
            {
                await _store.Registrations.LeaveAsync(server, issuer, others, cancellationToken).ConfigureAwait(false);
            }
            catch (McpAuthException e)
            {
                _interaction.Warn($"The registration with {UntrustedText.Sanitize(issuer)}, which only '{server.Name}' used, could not be removed. "
                    + e.Message);
            }
        }
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    /// <summary>Makes a name of the host that no server has yet.</summary>
    private static string FreeName(IReadOnlyList<McpServer> all, Uri uri)
    {
        var host = uri.Authority.Replace('.', '-').Replace(':', '-').Trim('[', ']');
        var name = host;
        for (var i = 1; all.Any(s => ServerCatalog.HasName(s, name)); i++)
        {
            name = $"{host}-{i}";
        }
        return name;
    }

    /// <returns>Why the revocation of an OAuth credential that a bearer token replaced was not confirmed; null if it was.</returns>
    private Task<string?> StoreSecretsAsync(McpServer server, McpServer? previous, ServerUpdate update, CancellationToken cancellationToken) =>
        _secrets.SetAsync(server, new ServerSecretsWriter.Given
        {
            Token = update.Token,
            ClientSecret = update.ClientSecret,
            Headers = update.Headers,
            ResetsIssuer = update.IsNewClient,
            ReplacesClient = previous?.ClientId is { } clientId && clientId != server.ClientId,
        }, null, cancellationToken);
}

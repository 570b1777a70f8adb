using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Servers;

namespace McpSm.Core.Management;

/// <summary>Adds and changes servers: what is public goes to the catalog, what is secret to the vault.</summary>
internal sealed class ServerUpdater(ServerCatalog catalog, ServerSecretsWriter secrets)
{
    public async Task<ServerUpdateResult> AddAsync(ServerUpdate change, CancellationToken cancellationToken)
    {
        change.Check();
        // A new server has no setting that an empty text could take away.
        change = change with { ClientId = NullIfEmpty(change.ClientId), Issuer = NullIfEmpty(change.Issuer), ClientMetadataUrl = NullIfEmpty(change.ClientMetadataUrl) };
        var server = await catalog.AddAsync(change.Apply(new McpServer { Id = "", Name = "", Url = "" }), cancellationToken).ConfigureAwait(false);
        var complete = false;
        try
        {
            await KeepSecretsAsync(server, null, change, cancellationToken).ConfigureAwait(false);
            complete = true;
            return new ServerUpdateResult(server);
        }
        finally
        {
            if (!complete)
            {
                // Half a server is none: without its secrets it would only fail later.
                await catalog.RemoveAsync(server.Id, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    public async Task<ServerUpdateResult> UpdateAsync(McpServer before, ServerUpdate change, CancellationToken cancellationToken)
    {
        change.Check();
        var server = await catalog.UpdateAsync(before.Id, change.Apply, cancellationToken).ConfigureAwait(false);
        var complete = false;
        try
        {
            var failure = await KeepSecretsAsync(server, before, change, cancellationToken).ConfigureAwait(false);
            complete = true;
            // Another program may have written a URL that is none; giving a good one is what mends it.
            return new ServerUpdateResult(server, Uri.TryCreate(before.Url, UriKind.Absolute, out var was)
                && !ResourceUri.SameOrigin(was, server.Uri), failure);
        }
        finally
        {
            if (!complete)
            {
                await catalog.UpdateAsync(before.Id, _ => before, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    /// <param name="name">The name of the server; null for any server at that URL, and for a name made of the host if there is no server yet.</param>
    /// <exception cref="McpAuthException">InvalidServerUrl, InvalidServerName; InvalidValue: several servers are at that URL;
    /// ServerAlreadyExists: the name is taken by a server at another URL.</exception>
    public async Task<(McpServer Server, bool IsNew)> FindOrAddAsync(string url, string? name, CancellationToken cancellationToken)
    {
        var uri = ServerUrl.Parse(url);
        while (true)
        {
            var all = catalog.List();
            var there = ServerLookup.AtUrl(all, url).Where(s => name is null || ServerCatalog.HasName(s, name)).ToList();
            if (there.Count > 0)
            {
                return there is [var one] ? (one, false) : throw ServerLookup.Ambiguous(there, "are at that URL");
            }
            try
            {
                return ((await AddAsync(new ServerUpdate { Name = name ?? FreeName(all, uri), Url = url }, cancellationToken).ConfigureAwait(false)).Server, true);
            }
            catch (McpAuthException e) when (e.Reason == ErrorReason.ServerAlreadyExists && !all.Any(s => name is not null && ServerCatalog.HasName(s, name)))
            {
                // Another process was first, perhaps with this very server.
            }
        }
    }

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    /// <summary>A name that no server has, made of the host.</summary>
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

    /// <returns>Why a sign-in that a bearer token replaced was not confirmed as revoked; null where it was.</returns>
    private Task<string?> KeepSecretsAsync(McpServer server, McpServer? before, ServerUpdate change, CancellationToken cancellationToken) =>
        secrets.SetAsync(server, new ServerSecretsWriter.Given
        {
            Token = change.Token,
            ClientSecret = change.ClientSecret,
            Headers = change.Headers,
            ResetsIssuer = change.IsNewClient,
            ReplacesClient = before?.ClientId is { } was && was != server.ClientId,
        }, null, cancellationToken);
}

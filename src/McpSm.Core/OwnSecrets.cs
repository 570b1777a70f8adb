using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core;

/// <summary>Secrets that the user gives for a server: a bearer token, the client's secret, headers.</summary>
internal sealed class OwnSecrets(CredentialStore store, ServerCatalog catalog, Revoking revoking)
{
    /// <summary>Keeps a bearer token; an OAuth credential that it replaces is revoked first.</summary>
    /// <returns>Why that revocation failed; null where it did not.</returns>
    public async Task<string?> SetTokenAsync(McpServer server, string token, string? vault, CancellationToken cancellationToken)
    {
        if (!BearerToken.IsValid(token))
        {
            throw new McpAuthException(ErrorReason.InvalidValue,
                "That token cannot be sent: it is empty, or has spaces or characters outside ASCII.",
                $"mcpsm auth set {server.Id}")
            { Server = server.Name };
        }
        ServerUrl.RequireSecure(server);
        using var held = await store.LockAsync(server, cancellationToken).ConfigureAwait(false);
        var raw = await store.ReadRawAsync(server, cancellationToken, vault).ConfigureAwait(false);
        // Nothing is revoked for a token that then has no place to be kept.
        await store.PrepareAsync(server, vault, cancellationToken).ConfigureAwait(false);
        var failure = await revoking.RunAsync(raw?.OAuth, cancellationToken).ConfigureAwait(false);
        var kept = raw?.IsFor(server) == true ? raw : new ServerItem { Url = server.Url };
        await store.WriteAsync(server, kept with { Url = server.Url, BearerToken = token, OAuth = null }, vault, cancellationToken).ConfigureAwait(false);
        await RemovePlaintextAsync(server, cancellationToken).ConfigureAwait(false);
        return failure;
    }

    /// <summary>Takes a bearer token that was replaced or removed out of <c>config.json</c> as well.</summary>
    public Task RemovePlaintextAsync(McpServer server, CancellationToken cancellationToken) =>
        server.Plaintext.BearerToken is not { } token ? Task.CompletedTask
        : catalog.RemovePlaintextAsync(server.Id, ["bearerToken"], token, cancellationToken);

    /// <summary>Keeps the client's secret and headers; null leaves what there is, an empty header goes.</summary>
    /// <param name="newClient">The client or its issuer was changed: it is tied to no issuer yet.</param>
    public async Task SetAsync(McpServer server, string? clientSecret, IReadOnlyDictionary<string, string>? headers,
        bool newClient, CancellationToken cancellationToken)
    {
        if (clientSecret is null && headers is null && !newClient)
        {
            return;
        }
        using var held = await store.LockAsync(server, cancellationToken).ConfigureAwait(false);
        var raw = await store.ReadRawAsync(server, cancellationToken).ConfigureAwait(false);
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
        await store.WriteAsync(server, item with
        {
            ClientSecret = clientSecret ?? item.ClientSecret,
            ClientIssuers = newClient ? null : item.ClientIssuers,
            Headers = merged.Count == 0 ? null : merged,
        }, null, cancellationToken).ConfigureAwait(false);
    }
}

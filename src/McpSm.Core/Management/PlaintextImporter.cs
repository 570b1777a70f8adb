using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core.Management;

/// <summary>
/// Moves the secrets that the npm tool stores in plaintext into the vault. It writes the vault and reads it back first, and then removes the
/// plaintext, one secret at a time. After a kill in between, a secret is in both places, and the next import only removes the plaintext.
/// </summary>
internal sealed class PlaintextImporter(AppEnvironment environment, CredentialStore store, ServerCatalog catalog)
{
    /// <summary>A secret that was found, with how to add it to the item and how to remove it from its file.</summary>
    /// <param name="Secret">The secret, without its text.</param>
    /// <param name="Take">Returns the item with the secret; null if the item has another secret in its place.</param>
    /// <param name="Remove">Removes the secret from its file; false if the file no longer has it.</param>
    /// <param name="Unusable">Why the secret cannot be used; null if it can.</param>
    private sealed record Found(PlaintextSecret Secret, Func<ServerSecrets, ServerSecrets?> Take, Func<CancellationToken, Task<bool>> Remove, string? Unusable);

    /// <summary>Lists the plaintext secrets of a server, which <see cref="RunAsync"/> would move.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt: a token file does not parse.</exception>
    public IReadOnlyList<PlaintextSecret> Find(McpServer server) => [.. Search(server).Select(f => f.Secret)];

    /// <summary>Lists the ids in plaintext token files that belong to no server.</summary>
    /// <exception cref="McpAuthException">ConfigurationCorrupt.</exception>
    public IReadOnlyList<string> FindUnknownServers() =>
        [.. NpmTokenFile.Read(environment).Select(t => t.ServerId).Except(catalog.List().Select(s => s.Id)).Select(UntrustedText.Sanitize)];

    /// <summary>Moves the server's plaintext secrets into the vault, and removes them from their files after the vault returned them.</summary>
    /// <param name="server">The server.</param>
    /// <param name="vault">The vault; null for the one that the server uses, or the selected one.</param>
    /// <param name="force">Also removes plaintext if the vault has another secret in its place.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="McpAuthException">The reasons of the vault; ConfigurationCorrupt. The plaintext is then unchanged.</exception>
    public async Task<IReadOnlyList<McpImport>> RunAsync(McpServer server, string? vault, bool force, CancellationToken cancellationToken)
    {
        using var held = await store.LockAsync(server, cancellationToken).ConfigureAwait(false);
        _ = catalog.Reload(server);
        var raw = await store.ReadRawAsync(server, cancellationToken, vault).ConfigureAwait(false);
        var before = raw?.UsableFor(server) ?? new ServerSecrets { Url = server.Url };
        var item = before;
        var taken = new List<Found>();
        var left = new List<(Found, string)>();
        foreach (var found in Search(server))
        {
            if (found.Unusable is not null || found.Take(item) is not { } with)
            {
                left.Add((found, found.Unusable ?? environment.Remedies.Format(
                    $"the vault has another secret in its place; {new ImportStep(server, Force: true)} removes the plaintext")));
                continue;
            }
            item = with;
            taken.Add(found);
        }
        if (taken.Count > 0 && !ReferenceEquals(item, before))
        {
            await store.WriteAsync(server, item with { Url = server.Url }, vault, cancellationToken).ConfigureAwait(false);
            var back = await store.ReadRawAsync(server, cancellationToken).ConfigureAwait(false);
            if (back is null || taken.Any(t => !Equals(t.Take(back), back)))
            {
                throw new McpAuthException(ErrorReason.VaultUnavailable,
                    $"The vault did not return the secret that was written to it. The plaintext of '{server.Name}' was not removed.",
                    $"Choose another vault with: {new UseVaultStep()}")
                { Server = server.Name, Vault = store.Index.Read(server.Id)?.Vault };
            }
        }
        var now = store.Index.Read(server.Id)?.Vault;
        var done = new List<McpImport>();
        foreach (var found in taken)
        {
            var removed = await found.Remove(cancellationToken).ConfigureAwait(false);
            done.Add(Report(server, found.Secret, now, removed, removed ? null : "another program has changed the file; run the import again"));
        }
        foreach (var (found, why) in left)
        {
            var removed = force && found.Unusable is null && await found.Remove(cancellationToken).ConfigureAwait(false);
            done.Add(Report(server, found.Secret, null, removed, removed ? "the vault has another secret in its place" : why));
        }
        return done;
    }

    private static McpImport Report(McpServer server, PlaintextSecret secret, string? vault, bool removed, string? reason) =>
        new(server, secret) { Vault = vault, Removed = removed, Reason = reason };

    private IEnumerable<Found> Search(McpServer server)
    {
        var config = environment.PathOf("config.json");
        Func<CancellationToken, Task<bool>> Cut(string value, params string[] member) =>
            cancellationToken => catalog.RemovePlaintextAsync(server.Id, member, value, cancellationToken);
        if (server.Plaintext.BearerToken is { } bearer)
        {
            yield return OfToken(new(PlaintextKind.BearerToken, null, config), bearer, Cut(bearer, "bearerToken"));
        }
        foreach (var tokens in NpmTokenFile.Read(environment).Where(t => t.ServerId == server.Id))
        {
            yield return new Found(new(PlaintextKind.OAuthTokens, null, tokens.File),
                item => item.OAuth?.AccessToken == tokens.AccessToken ? item : item.Token is null ? item with { OAuth = Credential(server, tokens) } : null,
                cancellationToken => tokens.RemoveAsync(environment, cancellationToken), UnusableReason(server, tokens.AccessToken));
        }
        if (server.Plaintext.ClientSecret is { } secret)
        {
            yield return new Found(new(PlaintextKind.ClientSecret, null, config),
                item => item.ClientSecret == secret ? item : item.ClientSecret is null ? item with { ClientSecret = secret } : null,
                Cut(secret, "oauth", "clientSecret"), null);
        }
        foreach (var (name, value) in server.Plaintext.SecretHeaders)
        {
            var found = new PlaintextSecret(PlaintextKind.Header, name, config);
            const string scheme = "Bearer ";
            yield return name.Equals("Authorization", StringComparison.OrdinalIgnoreCase) && value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)
                ? OfToken(found, value[scheme.Length..].Trim(), Cut(value, "headers", name))
                : new Found(found, item => item.Headers?.GetValueOrDefault(name) is not { } kept
                        ? item with { Headers = new Dictionary<string, string>(item.Headers ?? new Dictionary<string, string>()) { [name] = value } }
                        : kept == value ? item : null,
                    Cut(value, "headers", name), null);
        }

        Found OfToken(PlaintextSecret found, string token, Func<CancellationToken, Task<bool>> remove) =>
            new(found, item => item.BearerToken == token ? item : item.Token is null ? item with { BearerToken = token } : null,
                remove, UnusableReason(server, token));
    }

    private static string? UnusableReason(McpServer server, string token) =>
        !BearerToken.IsValid(token) ? "it cannot be sent: it has spaces or characters outside ASCII"
        : !server.IsSecure ? "the server's URL is plain http to another machine" : null;

    /// <summary>Returns the token as a credential of the server's present URL. The file does not name the issuer.</summary>
    private OAuthCredential Credential(McpServer server, NpmTokenFile tokens)
    {
        var now = environment.Time.GetUtcNow();
        var client = tokens.ClientId ?? server.ClientId;
        return new OAuthCredential
        {
            AccessToken = tokens.AccessToken,
            // A renewal needs the id of the client.
            RefreshToken = client is null ? null : tokens.RefreshToken,
            IssuedAt = tokens.ExpiresAt < now ? tokens.ExpiresAt.Value : now,
            ExpiresAt = tokens.ExpiresAt,
            Scopes = tokens.Scopes,
            Resource = ResourceUri.Canonical(server.Uri),
            Client = new ClientIdentity(client == server.ClientId ? ClientKind.PreRegistered : ClientKind.Dynamic, client ?? "",
                tokens.ClientSecret, tokens.ClientSecret is null ? ClientIdentity.None : ClientIdentity.Post),
        };
    }
}

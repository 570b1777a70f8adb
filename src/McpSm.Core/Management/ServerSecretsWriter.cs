using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Files;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core.Management;

/// <summary>Secrets that the user gives for a server: a bearer token, the client's secret, headers.</summary>
internal sealed class ServerSecretsWriter(CredentialStore store, ServerCatalog catalog, TokenRevoker revoking)
{
    /// <summary>What is given; null leaves what there is.</summary>
    internal sealed record Given
    {
        public string? Token { get; init; }
        public string? ClientSecret { get; init; }

        /// <summary>An empty value takes the header away.</summary>
        public IReadOnlyDictionary<string, string>? Headers { get; init; }

        /// <summary>The client or its issuer was changed: it is tied to no issuer yet.</summary>
        public bool ResetsIssuer { get; init; }

        /// <summary>Another client took the place of one: a secret that is not given with it is not shown for it.</summary>
        public bool ReplacesClient { get; init; }

        /// <summary>Whether there is a secret in it, and not only what takes one away.</summary>
        public bool HasSecret => Token is not null || ClientSecret is not null || Headers?.Values.Any(value => value.Length > 0) == true;

        public bool IsEmpty => Token is null && ClientSecret is null && Headers is null;

        /// <summary>Without the secrets: records print all their members.</summary>
        public override string ToString() => "given secrets";
    }

    /// <summary>Stores a bearer token. Revokes an OAuth credential that it replaces first.</summary>
    /// <returns>Why the revocation failed; null if it did not.</returns>
    public Task<string?> SetTokenAsync(McpServer server, string token, string? vault, CancellationToken cancellationToken) =>
        SetAsync(server, new Given { Token = SecretText.WithoutLineEnd(token) }, vault, cancellationToken);

    /// <summary>Stores everything in one write, so that a failure leaves nothing half done.</summary>
    /// <returns>Why the revocation of a replaced OAuth credential failed; null if it did not.</returns>
    public async Task<string?> SetAsync(McpServer server, Given given, string? vault, CancellationToken cancellationToken)
    {
        if (given.Token is not null)
        {
            RequireSendable(server, given.Token);
        }
        if (given.IsEmpty && !given.ResetsIssuer)
        {
            return null;
        }
        using var held = await store.LockAsync(server, cancellationToken).ConfigureAwait(false);
        _ = catalog.Reload(server);
        var raw = await store.ReadRawAsync(server, cancellationToken, vault).ConfigureAwait(false);
        string? failure = null;
        if (raw is not null || !given.IsEmpty)
        {
            failure = await KeepAsync(server, raw, given, vault, cancellationToken).ConfigureAwait(false);
        }
        if (given.Token is not null)
        {
            await RemovePlaintextAsync(server, cancellationToken).ConfigureAwait(false);
        }
        if (given is { ReplacesClient: true, ClientSecret: null } && server.Plaintext.ClientSecret is { } secret)
        {
            await catalog.RemovePlaintextAsync(server.Id, ["oauth", "clientSecret"], secret, cancellationToken).ConfigureAwait(false);
        }
        return failure;
    }

    /// <summary>Takes a bearer token that was replaced or removed out of <c>config.json</c> as well.</summary>
    public Task RemovePlaintextAsync(McpServer server, CancellationToken cancellationToken) =>
        server.Plaintext.BearerToken is not { } token ? Task.CompletedTask
        : catalog.RemovePlaintextAsync(server.Id, ["bearerToken"], token, cancellationToken);

    private async Task<string?> KeepAsync(McpServer server, ServerSecrets? raw, Given given, string? vault, CancellationToken cancellationToken)
    {
        var kept = raw?.IsFor(server) == true ? raw : new ServerSecrets { Url = server.Url };
        var item = kept with
        {
            ClientSecret = given.ClientSecret ?? (given.ReplacesClient ? null : kept.ClientSecret),
            ClientIssuers = given.ResetsIssuer ? null : kept.ClientIssuers,
            Headers = Merge(kept.Headers, given.Headers),
        };
        item = given.Token is { } token ? item with { Url = server.Url, BearerToken = token, OAuth = null } : item;
        string? failure = null;
        if (raw?.OAuth is { } replaced && item.OAuth is null)
        {
            // Nothing is revoked for a secret that then has no place to be kept.
            await store.PrepareAsync(server, vault, cancellationToken).ConfigureAwait(false);
            failure = await revoking.RunAsync(server, replaced, cancellationToken).ConfigureAwait(false);
        }
        await (item.IsEmpty ? store.RemoveAsync(server, cancellationToken)
            : given.HasSecret ? store.WriteAsync(server, item, vault, cancellationToken)
            : store.ReplaceAsync(server, item, cancellationToken)).ConfigureAwait(false);
        return failure;
    }

    private static Dictionary<string, string>? Merge(IReadOnlyDictionary<string, string>? kept, IReadOnlyDictionary<string, string>? given)
    {
        var merged = new Dictionary<string, string>(kept ?? new Dictionary<string, string>(), StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in given ?? new Dictionary<string, string>())
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
        return merged.Count == 0 ? null : merged;
    }

    private static void RequireSendable(McpServer server, string token)
    {
        if (BearerToken.Fault(token) is { } fault)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"That token cannot be sent: {fault}.",
                "Give the token alone, without 'Bearer' in front of it.")
            { Server = server.Name };
        }
        ServerUrl.RequireSecure(server);
    }
}

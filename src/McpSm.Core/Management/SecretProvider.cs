using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Errors.Steps;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.EncryptedFile;

namespace McpSm.Core.Management;

/// <summary>
/// Returns to other tools, by name, the current token of a server, which they can only read, and secrets of their own. A name of both is an
/// error, because a tool could send the wrong one to a server.
/// </summary>
internal sealed class SecretProvider
{
    private readonly AppEnvironment _environment;
    private readonly ServerCatalog _catalog;
    private readonly TokenService _tokens;
    private readonly VaultManager _vaults;
    private readonly NamedSecretStore _secrets;

    internal SecretProvider(AppEnvironment environment, ServerCatalog catalog, TokenService tokens, VaultManager vaults, NamedSecretStore secrets)
    {
        _environment = environment;
        _catalog = catalog;
        _tokens = tokens;
        _vaults = vaults;
        _secrets = secrets;
    }

    /// <summary>Returns the valid token of a server, which is renewed first if needed, or a secret; null if neither has the name.</summary>
    /// <param name="name">The name of a server or of a secret.</param>
    /// <param name="vault">The vault that the user named for secrets; null for the one in use.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="McpAuthException">InvalidValue: the name means more than one. What a token and a vault may throw.</exception>
    public async Task<(SecretKind Kind, string Text)?> GetAsync(string name, string? vault, CancellationToken cancellationToken)
    {
        var servers = Servers(name);
        if (servers.Count + (servers.Count > 0 && _secrets.Has(name) ? 1 : 0) > 1)
        {
            throw Ambiguous(name, servers);
        }
        if (servers is [var server])
        {
            return (SecretKind.SecureString, await TokenAsync(server, cancellationToken).ConfigureAwait(false));
        }
        return await _secrets.GetAsync(name, vault, cancellationToken).ConfigureAwait(false) is { } secret ? (secret.Kind, secret.Text) : null;
    }

    /// <summary>Keeps a secret.</summary>
    /// <param name="name">The name of a server or of a secret.</param>
    /// <param name="kind">The type of the secret.</param>
    /// <param name="text">The secret.</param>
    /// <param name="metadata">Text, numbers, truth values and times; replaces what there was.</param>
    /// <param name="vault">The vault that the user named for secrets; null for the one in use.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="McpAuthException">InvalidValue: the name is a server's, or something cannot be kept. What a vault may throw.</exception>
    public Task SetAsync(string name, SecretKind kind, string text, IReadOnlyDictionary<string, object?>? metadata, string? vault,
        CancellationToken cancellationToken)
    {
        RequireNoServer(name, server => new SetTokenStep(server));
        return _secrets.SetAsync(new NamedSecret { Name = name, Kind = kind, Text = text, Metadata = Kept(metadata) }, vault, cancellationToken);
    }

    /// <summary>Replaces a secret's metadata.</summary>
    /// <exception cref="McpAuthException">SecretNotFound; and as <see cref="SetAsync"/>.</exception>
    public async Task SetMetadataAsync(string name, IReadOnlyDictionary<string, object?>? metadata, string? vault, CancellationToken cancellationToken)
    {
        RequireNoServer(name, server => new UpdateServerStep(server));
        if (!await _secrets.SetMetadataAsync(name, Kept(metadata), vault, cancellationToken).ConfigureAwait(false))
        {
            throw NotFound(name);
        }
    }

    /// <summary>Removes a secret. It never removes the credential of a server, even if both have the name.</summary>
    /// <exception cref="McpAuthException">SecretNotFound; InvalidValue: the name is a server's. What a vault may throw.</exception>
    public async Task RemoveAsync(string name, string? vault, CancellationToken cancellationToken)
    {
        if (!_secrets.Has(name))
        {
            RequireNoServer(name, server => new RevokeStep(server));
        }
        if (!await _secrets.RemoveAsync(name, vault, cancellationToken).ConfigureAwait(false))
        {
            throw NotFound(name);
        }
    }

    /// <summary>The servers that have a credential, by their ids, from the facts alone.</summary>
    /// <param name="matches">Which names to list; a server's id or its name.</param>
    public IReadOnlyList<SecretInfo> ListServers(Func<string, bool> matches)
    {
        var servers = _catalog.List().Where(s => (matches(s.Id) || matches(s.Name)) && !_secrets.Has(s.Id)).ToList();
        return [.. McpAuthStatus.Read(_environment, servers, out _).Where(s => s.Kind != CredentialKind.None)
            .DistinctBy(s => s.Id, StringComparer.OrdinalIgnoreCase).Select(s => new SecretInfo(s.Id, SecretKind.SecureString, Metadata(s)))];
    }

    /// <summary>The secrets of other tools. Opens every vault that has one.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, ConfigurationCorrupt.</exception>
    public async Task<IReadOnlyList<SecretInfo>> ListSecretsAsync(Func<string, bool> matches, string? vault, CancellationToken cancellationToken) =>
        [.. (await _secrets.ListAsync(vault, cancellationToken).ConfigureAwait(false)).Where(s => matches(s.Name))
            .Select(s => new SecretInfo(s.Name, s.Kind, s.Metadata?.ToDictionary(m => m.Key, m => m.Value.Read()) ?? []))];

    /// <summary>Whether the vault that the next secret goes to keeps what it is given: writes, reads and removes an item.</summary>
    /// <exception cref="McpAuthException">VaultUnavailable, VaultLocked, VaultCorrupt, …</exception>
    public async Task CheckAsync(string? vault, CancellationToken cancellationToken) =>
        await VaultSelfTest.RunAsync(await _secrets.ChooseAsync(vault, cancellationToken).ConfigureAwait(false), cancellationToken).ConfigureAwait(false);

    /// <summary>Opens the encrypted file for the rest of this process; returns false if the file has no passphrase.</summary>
    /// <exception cref="McpAuthException">VaultLocked: the passphrase is wrong. VaultCorrupt.</exception>
    public bool Unlock(string passphrase) => _vaults.UnlockFile(passphrase);

    private async Task<string> TokenAsync(McpServer server, CancellationToken cancellationToken)
    {
        var place = _vaults.NameFor(server);
        if (!VaultSelector.IsOfSecretManagement(place))
        {
            var token = await _tokens.GetAccessTokenAsync(server, cancellationToken).ConfigureAwait(false);
            return !token.IsBound ? token.Value : throw new McpAuthException(ErrorReason.InvalidValue,
                $"The token of '{server.Name}' is bound to a key (DPoP): without that key, no server accepts it.",
                $"{new ReadTokenStep(server) { AsHeader = true }} gives it with a proof for one request.")
            { Server = server.Name };
        }
        throw McpAuthStatus.Read(_environment, server).Kind == CredentialKind.None ? CredentialRemedy.SignInNeeded(server, null)
            : new McpAuthException(ErrorReason.VaultUnavailable, $"The credential of '{server.Name}' is in '{UntrustedText.Sanitize(place)}', "
                + "which SecretManagement cannot open while it is asked for this one.",
                $"{new ReadTokenStep(server)}, or take credentials elsewhere: {new UseVaultStep(EncryptedFileVault.VaultName, Move: true)}")
            { Server = server.Name, Vault = UntrustedText.Sanitize(place) };
    }

    /// <summary>
    /// The servers a name may mean. An exact id or name means that one; SecretManagement's names have no case, and so
    /// neither have a server's here.
    /// </summary>
    private List<McpServer> Servers(string name)
    {
        var all = _catalog.List();
        return (all.FirstOrDefault(s => s.Id == name) ?? all.FirstOrDefault(s => s.Name == name)) is { } exact ? [exact]
            : [.. all.Where(s => s.Id.Equals(name, StringComparison.OrdinalIgnoreCase) || s.Name.Equals(name, StringComparison.OrdinalIgnoreCase))];
    }

    private void RequireNoServer(string name, Func<McpServer, NextStep> instead)
    {
        if (Servers(name) is [var server, ..])
        {
            throw new McpAuthException(ErrorReason.InvalidValue,
                $"'{UntrustedText.Sanitize(name)}' is an MCP server: its token can be read under that name, and nothing else.",
                instead(server))
            { Server = server.Name };
        }
    }

    private static McpAuthException Ambiguous(string name, List<McpServer> servers) => new(ErrorReason.InvalidValue,
        servers.Count > 1 ? $"'{UntrustedText.Sanitize(name)}' means several MCP servers: {string.Join(", ", servers.Select(s => s.Id))}."
            : $"'{UntrustedText.Sanitize(name)}' is both an MCP server and a secret of another tool: neither is given.",
        servers.Count > 1 ? (Remedy)"Ask by id." : $"{new ReadTokenStep(servers[0])} gives the token; {new RemoveSecretStep(name)} removes the secret.");

    private static McpAuthException NotFound(string name) =>
        new(ErrorReason.SecretNotFound, $"There is no secret '{UntrustedText.Sanitize(name)}' here.", new ListSecretsStep());

    private static Dictionary<string, SecretMetadataValue>? Kept(IReadOnlyDictionary<string, object?>? metadata) =>
        metadata is null or { Count: 0 } ? null : metadata.ToDictionary(m => m.Key, m => SecretMetadataValue.Create(m.Key, m.Value));

    private static Dictionary<string, object> Metadata(McpAuthStatus status)
    {
        var metadata = new Dictionary<string, object>
        {
            ["McpServer"] = status.Name,
            ["Url"] = status.Url,
            ["Kind"] = $"{status.Kind}",
            ["State"] = $"{status.State}",
        };
        if (status.ExpiresAt is { } end)
        {
            metadata["ExpiresAt"] = end.UtcDateTime;
        }
        if (status.Issuer is not null)
        {
            metadata["Issuer"] = status.Issuer;
        }
        if (status.Vault is not null)
        {
            metadata["Vault"] = status.Vault;
        }
        return metadata;
    }
}

using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Servers;

namespace McpSm.Core.SignIn;

/// <summary>Finds the client or workload that signs in without a person: given, in variables, or stored.</summary>
internal sealed class UnattendedClientResolver(AppEnvironment environment, CredentialStore store, IAuthInteraction interaction)
{
    private const string IdVariable = "MCPSM_CLIENT_ID";
    private const string SecretVariable = "MCPSM_CLIENT_SECRET";
    private const string KeyVariable = "MCPSM_CLIENT_KEY_FILE";

    /// <summary>Names the file of a workload's assertion.</summary>
    public const string AssertionVariable = "MCPSM_ASSERTION_FILE";

    /// <summary>What to do if a client is to sign in and no client is known.</summary>
    public const string HowToGive = $"Set {IdVariable} and {SecretVariable}, or {IdVariable} and {KeyVariable}";

    /// <returns>Null if a person signs in.</returns>
    /// <exception cref="McpAuthException">InvalidValue: no client was given, or the given one cannot be used.</exception>
    public async Task<ClientCredentials?> FindAsync(McpServer server, SignInOptions options, CancellationToken cancellationToken)
    {
        var asked = options.ClientCredentials;
        if (asked is null && (interaction.CanAnswer || options.UseDeviceCode))
        {
            return null;
        }
        if (asked is { Assertion: not null })
        {
            return asked with { Id = asked.Id ?? environment.Variable(IdVariable) ?? server.ClientId ?? "" };
        }
        if (asked is { HasProof: true })
        {
            return asked.IsManagedIdentity ? asked with { Id = asked.Id ?? "" }
                : asked with { Id = asked.Id ?? environment.Variable(IdVariable) ?? server.ClientId ?? throw NoneGiven(server) };
        }
        var (item, kept) = await KeptAsync(server, options.Vault, cancellationToken).ConfigureAwait(false);
        if (asked is null && FindWorkload(server, options.NamedByUser, kept) is { } workload)
        {
            return workload;
        }
        kept = kept is { Assertion: not null } ? null : kept;
        var id = asked?.Id ?? environment.Variable(IdVariable) ?? kept?.Id ?? server.ClientId;
        if (id is not null && (options.NamedByUser || id == kept?.Id || id == server.ClientId) && FromVariables(id, cancellationToken) is { } given)
        {
            return given;
        }
        if (kept is not null && kept.Id == id)
        {
            return kept;
        }
        return asked is null ? null
            : id is not null && id == server.ClientId && (item?.ClientSecret ?? server.Plaintext.ClientSecret) is { } secret
            ? new ClientCredentials(id, secret) : throw NoneGiven(server);
    }

    /// <summary>Returns the secret or key in the variables for a stored client that the issuer refused; null if they have none.</summary>
    public async Task<ClientCredentials?> FindReplacementAsync(McpServer server, CancellationToken cancellationToken)
    {
        var (_, kept) = await KeptAsync(server, null, cancellationToken).ConfigureAwait(false);
        return kept is { Assertion: null } && environment.Variable(IdVariable) == kept.Id
            && FromVariables(kept.Id!, cancellationToken) is { } given && given != kept
            ? given
            : null;
    }

    /// <summary>Returns the workload that signs in if no person can answer: that of the variable, else the one of the last sign-in.</summary>
    private ClientCredentials? FindWorkload(McpServer server, bool byName, ClientCredentials? kept)
    {
        if (environment.Variable(AssertionVariable) is not { } file)
        {
            return kept is { Assertion: not null } ? kept : null;
        }
        if (environment.Variable(SecretVariable) is not null || environment.Variable(KeyVariable) is not null)
        {
            throw new McpAuthException(ErrorReason.InvalidValue, $"{AssertionVariable} cannot be combined with {SecretVariable} or {KeyVariable}.",
                $"Unset {AssertionVariable}, or the other two.");
        }
        var source = WorkloadAssertionSource.FromFile(file);
        return byName || source == kept?.Assertion ? new ClientCredentials(environment.Variable(IdVariable) ?? server.ClientId ?? "", Assertion: source)
            : kept is { Assertion: not null } ? kept : null;
    }

    private async Task<(ServerSecrets? Item, ClientCredentials? Kept)> KeptAsync(McpServer server, string? vault, CancellationToken cancellationToken)
    {
        var item = await store.ReadAsync(server, cancellationToken, vault).ConfigureAwait(false);
        if (item?.OAuth is not { SignedInBy: SignedInBy.Client or SignedInBy.Workload, Client: var client, Assertion: var assertion })
        {
            return (item, null);
        }
        // The user may have replaced the secret since.
        var secret = client.Secret is not null && client.Id == server.ClientId ? item.ClientSecret ?? client.Secret : client.Secret;
        return (item, new ClientCredentials(client.Id, secret, client.Key, client.Kind == ClientKind.ManagedIdentity, assertion));
    }

    private ClientCredentials? FromVariables(string id, CancellationToken cancellationToken) =>
        (environment.SecretVariable(SecretVariable), environment.Variable(KeyVariable)) switch
        {
            ({ }, { }) => throw new McpAuthException(ErrorReason.InvalidValue, $"{SecretVariable} and {KeyVariable} cannot be combined.",
                "Unset one of them."),
            ({ } secret, null) => new ClientCredentials(id, secret),
            (null, { } file) => new ClientCredentials(id, Key: ClientKey.FromFile(file, cancellationToken)),
            _ => null,
        };

    private static McpAuthException NoneGiven(McpServer server) => new(ErrorReason.InvalidValue,
        $"No client is known that could sign in to '{server.Name}' by itself.", HowToGive + ".")
    { Server = server.Name };
}

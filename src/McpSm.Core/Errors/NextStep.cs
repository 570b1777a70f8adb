namespace McpSm.Core.Errors;

/// <summary>A server that a step is about.</summary>
/// <param name="Id">Its id; empty if the server is not known.</param>
/// <param name="Name">The name that tables show.</param>
public readonly record struct ServerReference(string Id, string Name)
{
    /// <summary>A server that the user knows.</summary>
    public static ServerReference Unknown { get; } = new("", "");

    public override string ToString() => Id.Length == 0 ? "the server" : $"'{ForeignText.Clean(Name)}'";
}

/// <summary>
/// Something that the user can do next, without the command that does it. A new step needs a rendering in each
/// <see cref="RemedyFormatter"/>; a test holds every step against the commands that exist.
/// </summary>
public abstract record NextStep
{
    /// <summary>The step in words, such as <c>sign in to 'my-api'</c>.</summary>
    protected abstract string Words { get; }

    /// <summary>Options of the step.</summary>
    public IReadOnlyList<StepOption> Options { get; init; } = [];

    public sealed override string ToString() =>
        Options.Count == 0 ? Words : $"{Words} ({string.Join(", ", Options.Select(o => o.ToString()))})";
}

/// <summary>Signs in to a server.</summary>
public sealed record SignInStep(ServerReference Server) : NextStep
{
    protected override string Words => $"sign in to {Server}";
}

/// <summary>Signs in to every server that needs it.</summary>
public sealed record SignInToAllStep : NextStep
{
    protected override string Words => "sign in to all servers";
}

/// <summary>Renews a server's token.</summary>
public sealed record RefreshStep(ServerReference Server) : NextStep
{
    protected override string Words => $"renew the token of {Server}";
}

/// <summary>Keeps a token that the user has for a server.</summary>
public sealed record SetTokenStep(ServerReference Server) : NextStep
{
    /// <summary>Whether it must work without a person at a prompt.</summary>
    public bool Unattended { get; init; }

    protected override string Words => $"keep a token for {Server}";
}

/// <summary>Reports a token that a server refused.</summary>
public sealed record RejectTokenStep(ServerReference Server) : NextStep
{
    protected override string Words => $"report the refused token of {Server}";
}

/// <summary>Reads a server's token.</summary>
public sealed record ReadTokenStep(ServerReference Server) : NextStep
{
    /// <summary>Whether to read it as the header of one request, with a proof if the token is bound to a key (RFC 9449).</summary>
    public bool AsHeader { get; init; }

    protected override string Words => $"read the token of {Server}";
}

/// <summary>Removes a server's credential.</summary>
public sealed record RevokeStep(ServerReference Server) : NextStep
{
    protected override string Words => $"remove the credential of {Server}";
}

/// <summary>Changes the settings of a server.</summary>
public sealed record UpdateServerStep(ServerReference Server) : NextStep
{
    public UpdateServerStep(ServerReference server, params IReadOnlyList<StepOption> options) : this(server) => Options = options;

    protected override string Words => $"change {Server}";
}

/// <summary>Drops the client that was registered for a server, so that the next sign-in registers another.</summary>
public sealed record ForgetClientStep(ServerReference Server) : NextStep
{
    protected override string Words => $"drop the client of {Server}";
}

/// <summary>Takes the plaintext secrets of a server into the vault.</summary>
/// <param name="Force">Whether they replace what the vault has.</param>
public sealed record ImportStep(ServerReference Server, bool Force = false) : NextStep
{
    protected override string Words => $"take the secrets of {Server} into the vault";
}

/// <summary>Tests the connection to a server.</summary>
public sealed record TestServerStep(ServerReference Server) : NextStep
{
    protected override string Words => $"test {Server}";
}

/// <summary>Lists the servers.</summary>
public sealed record ListServersStep : NextStep
{
    protected override string Words => "list the servers";
}

/// <summary>Adds a server.</summary>
/// <param name="Url">Its URL; null if it is not known, or may hold a secret.</param>
public sealed record AddServerStep(string? Url = null) : NextStep
{
    protected override string Words => "add the server";
}

/// <summary>Chooses the vault for what is kept from now on.</summary>
/// <param name="Vault">Its name; null if the user is to choose.</param>
/// <param name="Move">Whether to take along what other vaults have.</param>
public sealed record UseVaultStep(string? Vault = null, bool Move = false) : NextStep
{
    protected override string Words => Vault is null ? "use another vault" : $"use the vault '{ForeignText.Clean(Vault)}'";
}

/// <summary>Lists the vaults.</summary>
public sealed record ListVaultsStep : NextStep
{
    protected override string Words => "list the vaults";
}

/// <summary>Puts the encrypted file under another key.</summary>
/// <param name="Passphrase">Whether under a passphrase; else under a new key file.</param>
public sealed record RekeyVaultStep(bool Passphrase) : NextStep
{
    protected override string Words => Passphrase ? "put the encrypted file under a passphrase" : "put the encrypted file under a new key file";
}

/// <summary>Sets the identity provider, or its client.</summary>
/// <param name="Issuer">Its issuer identifier; null if the user is to choose.</param>
public sealed record UseIdentityProviderStep(string? Issuer = null) : NextStep
{
    public UseIdentityProviderStep(string? issuer, params IReadOnlyList<StepOption> options) : this(issuer) => Options = options;

    protected override string Words => "set the identity provider";
}

/// <summary>Signs in at the identity provider that is set.</summary>
public sealed record SignInToIdentityProviderStep : NextStep
{
    protected override string Words => "sign in at the identity provider";
}

/// <summary>Removes a secret of another tool from SecretManagement.</summary>
public sealed record RemoveSecretStep(string Name) : NextStep
{
    protected override string Words => $"remove the secret '{ForeignText.Clean(Name)}'";
}

/// <summary>Lists the secrets in SecretManagement.</summary>
public sealed record ListSecretsStep : NextStep
{
    protected override string Words => "list the secrets";
}

/// <summary>Uses no identity provider any more.</summary>
public sealed record RemoveIdentityProviderStep : NextStep
{
    protected override string Words => "use no identity provider";
}

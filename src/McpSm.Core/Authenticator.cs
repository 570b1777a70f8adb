using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Entra;
using McpSm.Core.Errors;
using McpSm.Core.Interaction;
using McpSm.Core.Management;
using McpSm.Core.Management.McpRemote;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Vaults;

namespace McpSm.Core;

/// <summary>
/// The entry to Mcpsm for a .NET program: signs in to MCP servers, gives their tokens, and manages servers, vaults and identity providers.
/// </summary>
/// <remarks>Each part is built when it is first used, so that reading a token or a status loads nothing else. Safe for use by many threads.</remarks>
public sealed class Authenticator
{
    private readonly AppEnvironment _environment;
    private readonly IAuthInteraction _interaction;
    private readonly IProgress<string>? _progress;
    private readonly Lazy<VaultSelector> _vaultSelector;
    private readonly Lazy<CredentialStore> _store;
    private readonly Lazy<IdentitySessionStore> _identities;
    private readonly Lazy<EntraTokenClient> _entra;
    private readonly Lazy<IdentityAssertionGrant> _assertion;
    private readonly Lazy<EnterpriseSignIn> _enterprise;
    private readonly Lazy<TokenRevoker> _revoker;
    private readonly Lazy<SignOutFlow> _signOut;
    private readonly Lazy<ServerSecretsWriter> _secretsWriter;
    private readonly Lazy<SignInService> _signIn;
    private readonly Lazy<TokenService> _tokens;
    private readonly Lazy<ServerManager> _servers;
    private readonly Lazy<ServerTester> _tester;
    private readonly Lazy<ClientRegistrationManager> _registrations;
    private readonly Lazy<VaultManager> _vaults;
    private readonly Lazy<PlaintextImporter> _plaintext;
    private readonly Lazy<McpRemoteImporter> _mcpRemote;
    private readonly Lazy<IdentityProviderManager> _identityProviders;
    private readonly Lazy<SecretProvider> _secrets;
    private readonly SignInQueue _queue = new();

    /// <summary>Creates an entry to the servers and credentials of an environment.</summary>
    /// <param name="environment">The configuration folder, the variables and the clock.</param>
    /// <param name="interaction">Asks and informs the user.</param>
    /// <param name="progress">Receives each step of a sign-in, a renewal or a sign-out: every URL, and never a secret.</param>
    /// <param name="vaults">Vaults in addition to those of the operating system and the encrypted file.</param>
    public Authenticator(AppEnvironment environment, IAuthInteraction interaction, IProgress<string>? progress = null,
        IEnumerable<IVaultProvider>? vaults = null) : this(environment, interaction, progress, vaults, null)
    {
    }

    /// <param name="environment">The configuration folder, the variables and the clock.</param>
    /// <param name="interaction">Asks and informs the user.</param>
    /// <param name="progress">Receives each step.</param>
    /// <param name="vaults">Additional vaults.</param>
    /// <param name="entraTransport">Creates the handler that sends requests to Entra ID; null for sockets.</param>
    internal Authenticator(AppEnvironment environment, IAuthInteraction interaction, IProgress<string>? progress, IEnumerable<IVaultProvider>? vaults,
        Func<HttpMessageHandler>? entraTransport)
    {
        _environment = environment;
        _interaction = interaction;
        _progress = progress;
        Catalog = new ServerCatalog(environment);
        _vaultSelector = new(() => new VaultSelector(environment, vaults ?? [], interaction.Notice, interaction.Warn));
        _store = new(() => new CredentialStore(environment, _vaultSelector.Value));
        _identities = new(() => new IdentitySessionStore(environment, Store.Index, _vaultSelector.Value));
        _entra = new(() => new EntraTokenClient(environment, entraTransport, progress));
        _assertion = new(() => new IdentityAssertionGrant(environment, new IdentitySessionRenewer(environment, _identities.Value, progress), progress));
        _enterprise = new(() => new EnterpriseSignIn(environment, Store, _identities.Value, _assertion.Value, _entra.Value, interaction, progress));
        _revoker = new(() => new TokenRevoker(environment, progress));
        _signOut = new(() => new SignOutFlow(Store, _revoker.Value));
        _secretsWriter = new(() => new ServerSecretsWriter(Store, Catalog, _revoker.Value));
        _tokens = new(CreateTokenService);
        _signIn = new(CreateSignInService);
        _servers = new(() => new ServerManager(Catalog, Store, interaction, _secretsWriter.Value, _signOut.Value));
        _tester = new(() => new ServerTester(environment, Store, Tokens, SignIn));
        _registrations = new(() => new ClientRegistrationManager(environment, Store));
        _vaults = new(() => new VaultManager(environment, Catalog, Store, _vaultSelector.Value));
        _plaintext = new(() => new PlaintextImporter(environment, Store, Catalog));
        _mcpRemote = new(() => new McpRemoteImporter(environment, Store, Catalog, Servers, Tokens, progress));
        _identityProviders = new(() => new IdentityProviderManager(environment, Catalog, _identities.Value, _enterprise.Value, _queue));
        _secrets = new(() => new SecretProvider(environment, Catalog, Tokens, Vaults, new NamedSecretStore(environment, Store.Index, _vaultSelector.Value)));
    }

    /// <summary>The configured servers.</summary>
    public ServerCatalog Catalog { get; }

    /// <summary>Signs in to servers and out of them.</summary>
    public SignInService SignIn => _signIn.Value;

    /// <summary>Gives, renews and rejects the tokens of servers.</summary>
    public TokenService Tokens => _tokens.Value;

    /// <summary>Adds, changes and removes servers and the secrets that the user supplies for them.</summary>
    public ServerManager Servers => _servers.Value;

    /// <summary>Tests servers with their credentials.</summary>
    internal ServerTester Tester => _tester.Value;

    /// <summary>Removes client registrations.</summary>
    internal ClientRegistrationManager Registrations => _registrations.Value;

    /// <summary>Chooses the vault and moves credentials to it.</summary>
    public VaultManager Vaults => _vaults.Value;

    /// <summary>Shows and changes the settings that the user changes by name.</summary>
    internal SettingManager Settings => new(_environment);

    /// <summary>Moves plaintext secrets of the npm tool into the vault.</summary>
    internal PlaintextImporter Plaintext => _plaintext.Value;

    /// <summary>Takes over servers and tokens of the npm package mcp-remote.</summary>
    internal McpRemoteImporter McpRemote => _mcpRemote.Value;

    /// <summary>Configures the identity provider of an organisation and signs in to it.</summary>
    internal IdentityProviderManager IdentityProviders => _identityProviders.Value;

    /// <summary>Gives tokens and secrets to other tools by name.</summary>
    internal SecretProvider Secrets => _secrets.Value;

    internal AppEnvironment Environment => _environment;

    private CredentialStore Store => _store.Value;

    /// <summary>Reads the status of servers from the index alone: without a vault and without the network.</summary>
    /// <param name="servers">The servers.</param>
    /// <param name="failure">Why the index cannot be read; every status is then Unknown.</param>
    public IReadOnlyList<McpAuthStatus> Status(IReadOnlyList<McpServer> servers, out McpAuthException? failure) =>
        McpAuthStatus.Read(_environment, servers, out failure);

    /// <summary>Reads the status of a server from the index alone.</summary>
    public McpAuthStatus Status(McpServer server) => McpAuthStatus.Read(_environment, server);

    private TokenService CreateTokenService() => new(_environment, Store, _interaction,
        new(() => new TokenRenewer(_environment, Store, _entra.Value, _assertion.Value, IssuerFinder.FindAsync, _progress)));

    private SignInService CreateSignInService()
    {
        var context = new AuthContext(_environment, _interaction, _progress);
        var flow = new SignInFlow(context, Store, Catalog, _revoker.Value, _enterprise.Value) { Entra = _entra.Value };
        return new SignInService(context, flow, new UnattendedClientResolver(_environment, Store, _interaction), _signOut.Value, Tokens) { Queue = _queue };
    }
}

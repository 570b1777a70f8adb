using McpSm.Core;
using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Vaults;
using McpSm.Samples;
using McpSm.TestServers;

namespace McpSm.FaultBench;

/// <summary>An issuer that rotates refresh tokens and detects their reuse, servers that accept its tokens, and a configuration folder.</summary>
internal sealed class FaultEnvironment : IAsyncDisposable
{
    private readonly List<TestMcpServer> _servers = [];

    private FaultEnvironment(string folder, string vault, TestIssuer issuer, Worker.Clock clock)
    {
        (Folder, Vault, Issuer, Clock) = (folder, vault, issuer, clock);
        Home = new AppEnvironment(name => name switch
        {
            "MCPSM_CONFIG_DIR" => folder,
            "MCPSM_VAULT" => vault,
            "DISPLAY" => ":0",
            "DBUS_SESSION_BUS_ADDRESS" or "XDG_RUNTIME_DIR" => Environment.GetEnvironmentVariable(name),
            _ => null
        }, clock);
        Door = new Authenticator(Home, new Worker.Person());
        Store = new CredentialStore(Home, new VaultSelector(Home, [], _ => { }));
    }

    public string Folder { get; }

    public string Vault { get; }

    public TestIssuer Issuer { get; }

    /// <summary>The clock of the issuer and of the workers.</summary>
    public Worker.Clock Clock { get; }

    public AppEnvironment Home { get; }

    public Authenticator Door { get; }

    public CredentialStore Store { get; }

    /// <param name="servers">The ids of the servers to start and add.</param>
    /// <param name="folder">The configuration folder; null for a new one.</param>
    public static async Task<FaultEnvironment> OpenAsync(FaultOptions options, IEnumerable<string> servers, string? folder = null)
    {
        var clock = new Worker.Clock();
        var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { TimeProvider = clock });
        var shop = new FaultEnvironment(folder ?? Directory.CreateTempSubdirectory("mcpsm-faults-").FullName, options.Vault, issuer, clock);
        foreach (var id in servers)
        {
            var server = await TestMcpServer.StartAsync(issuer);
            shop._servers.Add(server);
            await shop.Door.Catalog.AddAsync(new McpServer { Id = "", Name = id, Url = server.McpUrl.AbsoluteUri }, default);
        }
        return shop;
    }

    public Task<WorkerProcess> WorkerAsync(params string[] prefix) => WorkerProcess.StartAsync(Folder, Vault, prefix);

    public McpServer Server(string id) => Door.Catalog.Get(id);

    public Task SignInAsync(string id) => Door.SignIn.SignInAsync(Server(id), new SignInOptions { CallbackPort = 0 }, default);

    /// <summary>Returns the item of a server in the vault, without reading the index.</summary>
    public Task<ServerSecrets?> ItemAsync(string id) => Store.ReadRawAsync(Server(id), default);

    /// <summary>Returns the state of a token at the issuer; null if the issuer did not issue it.</summary>
    public TokenState? StateOf(string? token) => Issuer.Server.IssuedTokens.FirstOrDefault(t => t.Value == token)?.State;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in Door.Catalog.List())
        {
            // A vault of the system keeps items outside this folder, so remove them.
            await Store.RemoveAsync(server, default);
        }
        var vault = new VaultSelector(Home, [], _ => { }).Find(Vault);
        foreach (var item in await vault.NamesAsync(default))
        {
            await vault.RemoveAsync(item, default);
        }
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
        await Issuer.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}

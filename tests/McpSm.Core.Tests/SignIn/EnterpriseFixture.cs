using McpSm.Core.Configuration;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;

namespace McpSm.Core.Tests.SignIn;

/// <summary>An organisation: its identity provider, two servers with issuers that trust the provider, and the test environment of a user.</summary>
public sealed class EnterpriseFixture : IAsyncDisposable
{
    /// <summary>The client id at the identity provider. Each issuer knows the client by another id.</summary>
    public const string ClientAtProvider = "mcpsm-at-work";
    public const string ProviderSecret = "PLANTED-provider-secret";
    public const string ServerSecret = "PLANTED-server-secret";

    public const string Exchange = "urn:ietf:params:oauth:grant-type:token-exchange";
    public const string JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

    private readonly List<(TestIssuer Issuer, TestMcpServer Resource)> _servers = [];

    private EnterpriseFixture(TestIssuer provider, TestEnvironment work) => (Provider, Work) = (provider, work);

    public TestIssuer Provider { get; }

    public TestEnvironment Work { get; }

    public Authenticator Authenticator => Work.Authenticator;

    public IReadOnlyList<TestIssuer> Issuers => [.. _servers.Select(s => s.Issuer)];

    public IReadOnlyList<TestMcpServer> Resources => [.. _servers.Select(s => s.Resource)];

    /// <summary>The first server, as the catalog has it now.</summary>
    public McpServer One => Authenticator.Catalog.Get("one");

    public McpServer Two => Authenticator.Catalog.Get("two");

    /// <summary>Starts the servers and adds the MCP servers to the catalog.</summary>
    /// <param name="clock">The clock of all servers and of the test environment, or null for the system clock.</param>
    /// <param name="set">Whether the provider is set for the whole catalog.</param>
    /// <param name="known">Whether the organisation allows its users the servers.</param>
    /// <param name="provider">Changes the options of the identity provider.</param>
    /// <param name="issuer">Changes the options of the issuers.</param>
    public static async Task<EnterpriseFixture> StartAsync(ManualTimeProvider? clock = null, bool set = true, bool known = true,
        Func<AuthorizationServerOptions, AuthorizationServerOptions>? provider = null,
        Func<AuthorizationServerOptions, AuthorizationServerOptions>? issuer = null)
    {
        TimeProvider time = clock is null ? TimeProvider.System : clock;
        var organisation = new Organisation();
        var options = new AuthorizationServerOptions
        {
            TimeProvider = time,
            Organisation = organisation,
            ScopesSupported = ["openid", "offline_access"],
            SupportsRegistration = false,
            // The free port is not known in advance, so the client has a redirect URI for every port.
            PreRegisteredClients = [new RegisteredClient(ClientAtProvider, ProviderSecret,
                [.. Enumerable.Range(1024, 64512).Select(port => $"http://127.0.0.1:{port}/callback")], "client_secret_basic")],
        };
        var scene = new EnterpriseFixture(await TestIssuer.StartAsync(provider is null ? options : provider(options)), new TestEnvironment(clock));
        foreach (var name in (string[])["one", "two"])
        {
            var offered = new AuthorizationServerOptions
            {
                TimeProvider = time,
                TrustedIdentityProviders = [scene.Provider.Issuer],
                ScopesSupported = ["mcp:tools", "offline_access"],
                PreRegisteredClients = [new RegisteredClient("mcpsm-at-" + name, ServerSecret, [], "client_secret_basic")],
            };
            var issuing = await TestIssuer.StartAsync(issuer is null ? offered : issuer(offered));
            var protecting = await TestMcpServer.StartAsync(issuing);
            scene._servers.Add((issuing, protecting));
            if (known)
            {
                organisation.Add(new OrganisationServer(issuing.Issuer, protecting.Resource, "mcpsm-at-" + name, ["mcp:tools"]));
            }
            await scene.Authenticator.Servers.AddAsync(new ServerUpdate
            {
                Name = name,
                Url = protecting.McpUrl.AbsoluteUri,
                ClientId = "mcpsm-at-" + name,
                ClientSecret = ServerSecret,
            }, default);
        }
        if (set)
        {
            await scene.Authenticator.IdentityProviders.SetAsync(new IdentityProviderSetting(scene.Provider.Issuer, ClientAtProvider, []),
                ProviderSecret, null, default);
        }
        return scene;
    }

    /// <summary>Starts the servers and signs in to each of them.</summary>
    public static async Task<EnterpriseFixture> SignedInAsync(ManualTimeProvider? clock = null)
    {
        var scene = await StartAsync(clock);
        await scene.LoginAsync(scene.One);
        await scene.LoginAsync(scene.Two);
        return scene;
    }

    public Task<SignInResult> LoginAsync(McpServer server, Func<SignInOptions, SignInOptions>? how = null) =>
        Work.LoginAsync(server, how);

    public async ValueTask DisposeAsync()
    {
        foreach (var (issuer, resource) in _servers)
        {
            await resource.DisposeAsync();
            await issuer.DisposeAsync();
        }
        await Provider.DisposeAsync();
        Work.Dispose();
    }
}

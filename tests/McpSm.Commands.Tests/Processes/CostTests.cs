using McpSm.Commands.Tests.Support;
using McpSm.Core.Vaults;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Processes;

/// <summary>Tests that count the requests and vault calls of commands. The counts do not depend on the machine.</summary>
public sealed class CostTests : IAsyncLifetime
{
    private readonly InProcessCli _mcpsm = new();
    private readonly CountingVaults _vaults = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { TimeProvider = _mcpsm.Clock });
        _server = await TestMcpServer.StartAsync(_issuer);
        _mcpsm.VaultSources = [_vaults];
        _mcpsm.Variables["MCPSM_VAULT"] = CountingVaults.VaultName;
        await _mcpsm.AddAsync(_server.McpUrl);
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task First_sign_in_sends_one_request_of_each_kind()
    {
        (await _mcpsm.LoginAsync()).Done();
        Assert.Equal(["POST /mcp", "GET /.well-known/oauth-protected-resource/mcp", "POST /mcp"], Lines(_server.Traffic));
        Assert.Equal(["GET /.well-known/oauth-authorization-server", "POST /register", "GET /authorize", "POST /token"],
            Lines(_issuer.Traffic));
    }

    [Fact]
    public async Task Second_sign_in_registers_no_client()
    {
        (await _mcpsm.LoginAsync()).Done();
        Clear();
        (await _mcpsm.LoginAsync()).Done();
        Assert.Equal(["GET /.well-known/oauth-authorization-server", "GET /authorize", "POST /token"], Lines(_issuer.Traffic));
    }

    [Fact]
    public async Task Renewal_with_fresh_metadata_is_one_request()
    {
        (await _mcpsm.LoginAsync()).Done();
        Clear();
        (await _mcpsm.RunAsync("auth refresh my-api")).Done();
        Assert.Equal(["POST /token"], Lines(_issuer.Traffic));
        Assert.Empty(Lines(_server.Traffic));
        // Read before and under the lock; written before the request, to check that it is possible, and after it.
        Assert.Equal(["get mcpsm-my-api", "get mcpsm-my-api", "set mcpsm-my-api", "set mcpsm-my-api"], _vaults.Calls);
    }

    [Fact]
    public async Task Valid_token_costs_one_vault_read_and_no_request()
    {
        (await _mcpsm.LoginAsync()).Done();
        Clear();
        await _mcpsm.TokenAsync();
        Assert.Equal(["get mcpsm-my-api"], _vaults.Calls);
        Assert.Empty(Lines(_issuer.Traffic));
        Assert.Empty(Lines(_server.Traffic));
    }

    [Theory]
    [InlineData("auth status")]
    [InlineData("auth status --json")]
    [InlineData("list")]
    [InlineData("--version")]
    [InlineData("--help")]
    public async Task Read_only_command_opens_no_vault_and_sends_no_request(string commandLine)
    {
        (await _mcpsm.LoginAsync()).Done();
        Clear();
        (await _mcpsm.RunAsync(commandLine)).Done();
        Assert.Empty(_vaults.Calls);
        Assert.Empty(Lines(_issuer.Traffic));
        Assert.Empty(Lines(_server.Traffic));
    }

    private void Clear()
    {
        _issuer.Traffic.Clear();
        _server.Traffic.Clear();
        _vaults.Calls.Clear();
    }

    private static List<string> Lines(TrafficLog traffic) => [.. traffic.Requests.Select(r => $"{r.Method} {r.Path}")];

    /// <summary>A vault in memory that records its calls.</summary>
    private sealed class CountingVaults : IVaultProvider, IVault
    {
        public const string VaultName = "counting";

        private readonly Dictionary<string, string> _items = [];

        public List<string> Calls { get; } = [];

        public string Name => VaultName;

        public string Protection => "Nothing: it counts.";

        public Task<string?> GetAsync(string item, CancellationToken cancellationToken)
        {
            Calls.Add("get " + item);
            return Task.FromResult(_items.GetValueOrDefault(item));
        }

        public Task SetAsync(string item, string text, CancellationToken cancellationToken)
        {
            Calls.Add("set " + item);
            _items[item] = text;
            return Task.CompletedTask;
        }

        public Task<bool> RemoveAsync(string item, CancellationToken cancellationToken)
        {
            Calls.Add("remove " + item);
            return Task.FromResult(_items.Remove(item));
        }

        public Task<IReadOnlyList<string>> NamesAsync(CancellationToken cancellationToken)
        {
            Calls.Add("names");
            return Task.FromResult<IReadOnlyList<string>>([.. _items.Keys]);
        }

        public IVault? Find(string name) => name == VaultName ? this : null;

        public Task<IReadOnlyList<IVault>> ListAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<IVault>>([this]);

        public Task<(IVault Vault, string? Notice)?> GetDefaultAsync(CancellationToken cancellationToken) =>
            Task.FromResult<(IVault, string?)?>((this, null));
    }
}

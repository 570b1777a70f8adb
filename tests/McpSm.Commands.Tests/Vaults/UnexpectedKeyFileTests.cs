using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Vaults;

/// <summary>
/// Tests of a vault with a key file although the user has set a passphrase. The vault can be older than the passphrase, or planted by
/// another user who can write to the folder.
/// </summary>
public sealed class UnexpectedKeyFileTests : IDisposable
{
    private const string Remedy = "mcpsm vault rekey --passphrase";

    private readonly InProcessCli _mcpsm = new();

    public void Dispose() => _mcpsm.Dispose();

    [Theory]
    [InlineData("auth set my-api new-token")]
    [InlineData("add other --type http --url https://b.example/mcp --token new-token")]
    [InlineData("add other --type http --url https://b.example/mcp --header X-Key=new")]
    [InlineData("add other --type http --url https://b.example/mcp --client-id c --client-secret-from-env THEIR_SECRET")]
    [InlineData("server update my-api --token new-token")]
    [InlineData("server update my-api --header X-Key=new")]
    [InlineData("server update my-api --client-id c --client-secret-from-env THEIR_SECRET")]
    [InlineData("identity use https://idp.example --client-id c --client-secret-from-env THEIR_SECRET")]
    [InlineData("import")]
    [InlineData("vault use file")]
    public async Task New_secret_is_refused_until_the_vault_is_under_the_passphrase(string line)
    {
        await KeepAsync();
        _mcpsm.Variables["THEIR_SECRET"] = "new-secret";
        if (line == "import")
        {
            _mcpsm.Write("oauth-tokens.json", """{"other":{"accessToken":"plaintext-token"}}""");
            await _mcpsm.AddAsync(new Uri("https://b.example/mcp"), "other");
        }
        _mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = "correct horse";
        var before = _mcpsm.Files();
        (await _mcpsm.RunAsync(line)).Failed(1, "The vault 'file' does not accept new secrets", "MCPSM_VAULT_PASSPHRASE is set", "\n  " + Remedy);
        Assert.Equal(before, _mcpsm.Files());
        Assert.Equal("a-token", await _mcpsm.TokenAsync());

        // The unchanged remedy uses the passphrase of the environment.
        Assert.Contains("encrypted with the new passphrase", (await _mcpsm.RunAsync(Remedy[6..])).Done().Out);
        Assert.False(File.Exists(_mcpsm.PathOf("credentials.key")));
        (await _mcpsm.RunAsync(line)).Done();
    }

    [Fact]
    public async Task Sign_in_is_refused_before_any_prompt_but_renewal_works()
    {
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { TimeProvider = _mcpsm.Clock });
        await using var server = await TestMcpServer.StartAsync(issuer);
        await _mcpsm.AddAsync(server.McpUrl);
        await _mcpsm.AddAsync(server.McpUrl, "other");
        (await _mcpsm.LoginAsync()).Done();
        _mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = "correct horse";
        issuer.Traffic.Clear();
        (await _mcpsm.LoginAsync("other")).Failed(1, "The vault 'file' does not accept new secrets", Remedy);
        (await _mcpsm.LoginAsync()).Failed(1, "The vault 'file' does not accept new secrets", Remedy);
        Assert.Empty(issuer.Traffic.To("/authorize"));
        Assert.Empty(issuer.Traffic.To("/register"));

        var first = await _mcpsm.TokenAsync();
        var ended = (await _mcpsm.RunAsync("auth refresh my-api")).Done();
        Assert.Contains("credentials.enc is protected with a key file although MCPSM_VAULT_PASSPHRASE is set", ended.Error);
        Assert.Contains(Remedy, ended.Error);
        Assert.NotEqual(first, await _mcpsm.TokenAsync());
        Assert.Contains("Signed out", (await _mcpsm.RunAsync("auth logout my-api --force")).Done().Out);
    }

    [Fact]
    public async Task Removal_of_a_secret_is_allowed()
    {
        await _mcpsm.AddAsync(new Uri("https://a.example/mcp"), "my-api", "--header", "X-Key=1", "--token", "a-token");
        _mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = "correct horse";
        (await _mcpsm.RunAsync("server update my-api --header X-Key=")).Done();
        (await _mcpsm.RunAsync("auth revoke my-api")).Done();
        (await _mcpsm.RunAsync("remove my-api --yes")).Done();
    }

    [Fact]
    public async Task Planted_vault_receives_no_secret_of_the_user()
    {
        // The vault of the user has the passphrase. Another user replaces it with a vault that has a key file.
        using var attacker = new InProcessCli();
        await attacker.AddAsync(new Uri("https://a.example/mcp"));
        (await attacker.RunAsync("auth set my-api planted-token")).Done();
        _mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = "correct horse";
        await KeepAsync();
        foreach (var file in new[] { "credentials.enc", "credentials.key" })
        {
            File.Copy(attacker.PathOf(file), _mcpsm.PathOf(file), overwrite: true);
        }
        var planted = File.ReadAllBytes(_mcpsm.PathOf("credentials.enc"));
        (await _mcpsm.RunAsync("auth set my-api next-token")).Failed(1, "If you did not create that file, move it away", Remedy);
        Assert.Equal(planted, File.ReadAllBytes(_mcpsm.PathOf("credentials.enc")));
    }

    private async Task KeepAsync()
    {
        await _mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await _mcpsm.RunAsync("auth set my-api a-token")).Done();
    }
}

using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Core.Configuration;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Vaults;

/// <summary>Tests of <c>import</c>, which moves plaintext secrets of the npm tool into the vault.</summary>
public sealed class ImportTests : IDisposable
{
    // Formatted by hand: spaces, order and line ends must stay unchanged.
    private const string Config = """
        { "servers" : [ ],
          "remoteServers": [
            {"id":"plain", "name":"plain", "type":"http", "url":"https://plain.example/mcp",   "headers": {}},
            {
              "id": "bearer", "bearerToken": "bearer-secret",
              "name": "Bearer", "type": "http", "url": "https://bearer.example/mcp"
            },
            { "id": "client", "name": "client", "type": "http", "url": "https://client.example/mcp",
              "oauth": { "enabled": true, "clientId": "my-client", "clientSecret": "client-secret", "scopes": ["a"] },
              "headers": { "X-Region": "eu-west-1", "X-Api-Key": "header-secret", "X-Trace": "0123456789abcdef0123456789" }, "extra": 1.50 },
            { "id": "auth", "name": "auth", "url": "https://auth.example/mcp", "headers": {"Authorization": "Bearer header-token"}},
            { "id": "oauth", "name": "oauth", "url": "https://oauth.example/mcp" }
          ],
          "port": 8850 }

        """;

    private static readonly string[] Secrets =
        ["bearer-secret", "client-secret", "header-secret", "0123456789abcdef0123456789", "header-token", "oauth-access", "oauth-refresh", "old-access"];

    private readonly InProcessCli _mcpsm = new();

    public ImportTests()
    {
        _mcpsm.Variables["HOME"] = _mcpsm.PathOf("home");
        Directory.CreateDirectory(_mcpsm.PathOf("home/.mcpsm"));
        _mcpsm.Write("config.json", Config);
        _mcpsm.Write("oauth-tokens.json", """
            {
              "gone": {"accessToken": "of-no-server"},
              "oauth": {"accessToken": "oauth-access", "tokenType": "Bearer", "refreshToken": "oauth-refresh",
                "scopes": ["read"], "clientId": "c1", "expiresAt": 1894711800000}
            }
            """);
        _mcpsm.Write("home/.mcpsm/oauth-tokens.json", """{"plain":{"accessToken":"old-access","tokenType":"Bearer"}}""");
    }

    public void Dispose() => _mcpsm.Dispose();

    [Fact]
    public async Task Status_before_an_import_suggests_it_for_each_server()
    {
        foreach (var status in JsonNode.Parse((await _mcpsm.RunAsync("auth status --json")).Done().Out)!.AsArray())
        {
            var (id, remedy) = ((string)status!["id"]!, (string?)status["remedy"]);
            Assert.Equal($"mcpsm import {id}", remedy);
            Assert.Contains($"has a secret in plaintext in {(id is "oauth" or "plain" ? "oauth-tokens.json" : "config.json")}.",
                (await _mcpsm.RunAsync($"auth status {id}")).Error);
            Assert.Equal(id is "bearer" ? "BearerToken" : "NotAuthenticated", (string?)status["state"]);
        }
    }

    [Fact]
    public async Task Dry_run_lists_every_secret_and_changes_nothing()
    {
        var before = _mcpsm.Files();
        var ended = (await _mcpsm.RunAsync("import --dry-run")).Done();
        Assert.Equal("""
            plain: would move the OAuth tokens in oauth-tokens.json to the vault.
            Bearer: would move the bearer token in config.json to the vault.
            client: would move the client secret in config.json to the vault.
            client: would move the header X-Api-Key in config.json to the vault.
            client: would move the header X-Trace in config.json to the vault.
            auth: would move the header Authorization in config.json to the vault.
            oauth: would move the OAuth tokens in oauth-tokens.json to the vault.

            """, ended.Out);
        Assert.Equal(before, _mcpsm.Files());
    }

    [Fact]
    public async Task Import_moves_every_secret_and_leaves_the_rest_of_the_files()
    {
        var ended = (await _mcpsm.RunAsync("import")).Done();
        Assert.Contains("✔ Bearer: bearer token in config.json moved to the vault 'file'.", ended.Out);
        Assert.Contains("tokens of 'gone', which is not in the catalog", ended.Error);
        Assert.Equal(Config.Replace(" \"bearerToken\": \"bearer-secret\",", "").Replace(", \"clientSecret\": \"client-secret\"", "")
                .Replace(", \"X-Api-Key\": \"header-secret\", \"X-Trace\": \"0123456789abcdef0123456789\"", "")
                .Replace("\"Authorization\": \"Bearer header-token\"", ""),
            File.ReadAllText(_mcpsm.PathOf("config.json")));
        Assert.Equal("""
            {
              "gone": {"accessToken": "of-no-server"}
            }
            """, File.ReadAllText(_mcpsm.PathOf("oauth-tokens.json")));
        Assert.Equal("{}", File.ReadAllText(_mcpsm.PathOf("home/.mcpsm/oauth-tokens.json")));
        Assert.Equal("bearer-secret", await _mcpsm.TokenAsync("bearer"));
        Assert.Equal("header-token", await _mcpsm.TokenAsync("auth"));
        Assert.Equal("oauth-access", await _mcpsm.TokenAsync("oauth"));
        Assert.Equal("old-access", await _mcpsm.TokenAsync("plain"));
        Assert.Equal(("OAuth", "Authenticated", true), ((string?)(await _mcpsm.StatusAsync("oauth"))["kind"],
            (string?)(await _mcpsm.StatusAsync("oauth"))["state"], (bool)(await _mcpsm.StatusAsync("oauth"))["canRenew"]!));
        foreach (var file in Directory.EnumerateFiles(_mcpsm.Folder, "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain(Secrets, s => File.ReadAllText(file).Contains(s));
        }
        Assert.DoesNotContain(Secrets, s => (ended.Out + ended.Error).Contains(s));
        ended = (await _mcpsm.RunAsync("import")).Done();
        Assert.Contains("No plaintext secrets found.", ended.Error);
    }

    [Fact]
    public async Task Import_over_an_existing_secret_needs_force_to_remove_the_plaintext()
    {
        (await _mcpsm.RunAsync("import bearer")).Done();
        _mcpsm.Write("config.json", Config.Replace("bearer-secret", "another-secret"));
        var ended = await _mcpsm.RunAsync("import bearer");
        Assert.Equal(1, ended.Code);
        Assert.Contains("was not moved: the vault has another secret in its place; mcpsm import bearer --force removes the plaintext", ended.Error);
        Assert.Contains("another-secret", File.ReadAllText(_mcpsm.PathOf("config.json")));
        (await _mcpsm.RunAsync("import bearer --force")).Done();
        Assert.DoesNotContain("another-secret", File.ReadAllText(_mcpsm.PathOf("config.json")));
        Assert.Equal("bearer-secret", await _mcpsm.TokenAsync("bearer"));
    }

    [Fact]
    public async Task Locked_vault_leaves_the_plaintext()
    {
        _mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = "right";
        (await _mcpsm.RunAsync("import auth")).Done();
        _mcpsm.Variables["MCPSM_VAULT_PASSPHRASE"] = "wrong";
        var before = _mcpsm.Files();
        (await _mcpsm.RunAsync("import bearer")).Failed(1, "credentials.enc is locked");
        Assert.Equal(before, _mcpsm.Files());
    }

    [Theory]
    [InlineData("{", "is not valid JSON")]
    [InlineData("""{"oauth": {"tokenType": "Bearer"}}""", "its entry 'oauth' has no 'accessToken'")]
    public async Task Damaged_token_file_is_named_and_unchanged(string content, string says)
    {
        _mcpsm.Write("oauth-tokens.json", content);
        var before = _mcpsm.Files();
        (await _mcpsm.RunAsync("import")).Failed(1, says, "oauth-tokens.json");
        Assert.Equal(before, _mcpsm.Files());
        (await _mcpsm.RunAsync("auth status")).Done();
    }

    [Fact]
    public async Task Imported_tokens_are_renewed_at_the_issuer_of_the_server()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        await _mcpsm.AddAsync(server.McpUrl);
        (await _mcpsm.LoginAsync()).Done();
        // The tokens of this sign-in in the format of the npm tool.
        var environment = new AppEnvironment(name => name == "MCPSM_CONFIG_DIR" ? _mcpsm.Folder : null);
        var kept = JsonNode.Parse((await new EncryptedFileVault(environment).GetAsync("mcpsm-my-api", Cancellation))!)!["oAuth"]!;
        var access = (string)kept["accessToken"]!;
        _mcpsm.Write("oauth-tokens.json", new JsonObject
        {
            ["my-api"] = new JsonObject
            {
                ["accessToken"] = access,
                ["refreshToken"] = (string)kept["refreshToken"]!,
                ["clientId"] = (string)kept["client"]!["id"]!,
                ["expiresAt"] = 0,
            },
        }.ToJsonString());
        File.Delete(_mcpsm.PathOf("credentials.enc"));
        File.Delete(_mcpsm.PathOf("credentials.json"));
        (await _mcpsm.RunAsync("import my-api")).Done();
        Assert.Equal("Expired", (string?)(await _mcpsm.StatusAsync())["state"]);
        Assert.NotEqual(access, await _mcpsm.TokenAsync());
        var renewed = await _mcpsm.StatusAsync();
        Assert.Equal(("Authenticated", issuer.Issuer), ((string?)renewed["state"], (string?)renewed["issuer"]));
    }
}

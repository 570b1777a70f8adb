using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Core.Management.McpRemote;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Vaults;

/// <summary><c>import --from mcp-remote</c> with files in the format of the package, among them hostile ones.</summary>
public sealed class McpRemoteFileTests : IAsyncLifetime
{
    private const string Token = "at-s3cr3t-of-this-test";
    private const string Refresh = "rt-s3cr3t-of-this-test";

    private readonly InProcessCli _mcpsm = new();
    private TestMcpServer _server = null!;

    private string Home => _mcpsm.PathOf("home");

    private string Store => Path.Combine(Home, ".mcp-auth", "mcp-remote-v1");

    public async ValueTask InitializeAsync()
    {
        _server = await TestMcpServer.StartAsync(new TestMcpServerOptions { AcceptedTokens = [Token] });
        _mcpsm.Variables["HOME"] = Home;
        Directory.CreateDirectory(Store);
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Tokens_of_an_unknown_server_are_listed_and_left()
    {
        var file = Write(Token, "https://elsewhere.example/mcp");

        var ended = (await ImportAsync()).Done();

        Assert.Contains($"{file} was left: its server is unknown.", ended.Error);
        Assert.Contains("--url", ended.Error);
        Assert.True(File.Exists(file));
        Assert.Empty(_server.Traffic.Requests);
        Assert.Equal("[]", (await _mcpsm.RunAsync("list --json")).Done().Out.Trim());
    }

    [Fact]
    public async Task Server_of_the_catalog_is_a_candidate()
    {
        await _mcpsm.AddAsync(_server.McpUrl);
        var file = Write(Token);

        (await ImportAsync()).Done();

        Assert.False(File.Exists(file));
        Assert.Equal(Token, await _mcpsm.TokenAsync());
    }

    [Fact]
    public async Task Dry_run_changes_nothing_and_sends_nothing()
    {
        var file = Write(Token);

        var ended = (await ImportAsync($"--dry-run --url {_server.McpUrl}")).Done();

        Assert.Contains("would add the server", ended.Out);
        Assert.Contains("would move the OAuth tokens", ended.Out);
        Assert.True(File.Exists(file));
        Assert.Empty(_server.Traffic.Requests);
    }

    [Fact]
    public async Task Token_that_the_server_refuses_is_left()
    {
        _server.AcceptedTokens.Clear();
        var file = Write(Token);

        var ended = await ImportAsync($"--url {_server.McpUrl}");
        RequireLeft(ended, "does not accept the token");

        Assert.DoesNotContain(Token, ended.Out + ended.Error);
        Assert.True(File.Exists(file));
        Assert.Equal("NotAuthenticated", await StateAsync());
    }

    [Fact]
    public async Task Credential_in_the_vault_wins_over_the_file()
    {
        await _mcpsm.AddAsync(_server.McpUrl);
        (await _mcpsm.RunAsync("auth set my-api other-token")).Done();
        var file = Write(Token);

        RequireLeft(await ImportAsync(), "the vault has another credential in its place");
        Assert.True(File.Exists(file));
        Assert.Equal("other-token", await _mcpsm.TokenAsync());

        (await ImportAsync("--force")).Done();
        Assert.False(File.Exists(file));
        Assert.Equal("other-token", await _mcpsm.TokenAsync());
    }

    [Fact]
    public async Task Newest_of_several_versions_is_taken_and_the_others_go()
    {
        var old = Write("at-of-an-old-version", version: "mcp-remote-0.1.18");
        File.SetLastWriteTimeUtc(old, new DateTime(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        var file = Write(Token);

        (await ImportAsync($"--url {_server.McpUrl}")).Done();

        Assert.False(File.Exists(file));
        Assert.False(File.Exists(old));
    }

    [Fact]
    public async Task Tokens_for_plain_http_to_another_machine_are_left()
    {
        var file = Write(Token, "http://mcp.example/mcp");

        RequireLeft(await ImportAsync("--url http://mcp.example/mcp"), "plain http to another machine");

        Assert.True(File.Exists(file));
    }

    [Theory]
    [InlineData("{", "it is not valid JSON")]
    [InlineData("[]", "it is not a JSON object")]
    [InlineData("{}", "it has no access token")]
    [InlineData("""{"access_token":1}""", "it has no access token")]
    [InlineData("""{"access_token":"\ud800"}""", "it has no access token")]
    [InlineData("""{"access_token":"a b"}""", "its token cannot be sent")]
    [InlineData("""{"access_token":"a","token_type":"DPoP"}""", "its token is not a bearer token")]
    public async Task Damaged_file_is_left_with_the_reason(string content, string reason)
    {
        var file = Write(Token);
        await File.WriteAllTextAsync(file, content, Cancellation);

        Assert.Contains(reason, (await ImportAsync($"--url {_server.McpUrl}")).Done().Error);
        Assert.True(File.Exists(file));
        Assert.Empty(_server.Traffic.Requests);
    }

    [Fact]
    public async Task Huge_file_link_and_folder_are_left_with_the_reason()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs links");
        var huge = Write(Token, "https://huge.example");
        await File.WriteAllBytesAsync(huge, new byte[10 * 1024 * 1024], Cancellation);
        var link = Write(Token);
        File.Move(link, Path.Combine(Home, "target.json"));
        File.CreateSymbolicLink(link, Path.Combine(Home, "target.json"));

        var error = (await ImportAsync($"--url {_server.McpUrl}")).Done().Error;

        Assert.Contains("it is larger than 256 KiB", error);
        Assert.Contains("_tokens.json was left: it is a link", error);
        Assert.Empty(_server.Traffic.Requests);
        Assert.True(File.Exists(link));
    }

    [Fact]
    public async Task Entries_of_clients_become_servers_with_their_secrets_in_the_vault()
    {
        Configure(".cursor/mcp.json", "with-token", [_server.McpUrl.OriginalString, "--header", "Authorization: Bearer ${T}", "--header", "X-Key:key-value"],
            new JsonObject { ["T"] = Token });
        Configure(".codeium/windsurf/mcp_config.json", "old", ["https://old.example/sse", "--transport", "sse-only", "--disable-resource-parameter"], []);

        (await ImportAsync()).Done();

        var servers = JsonNode.Parse((await _mcpsm.RunAsync("list --json")).Done().Out)!.AsArray();
        Assert.Equal(["with-token", "old"], servers.Select(server => (string?)server!["id"]));
        Assert.Equal(Token, (await _mcpsm.RunAsync("auth token with-token")).Done().Out.Trim());
        Assert.Equal("X-Key", (string?)servers[0]!["headerNames"]![0]);
        Assert.Equal(("sse", "none"), ((string?)servers[1]!["transport"], (string?)servers[1]!["resource"]));
        Assert.DoesNotContain("key-value", await File.ReadAllTextAsync(_mcpsm.PathOf("config.json"), Cancellation));
        // A second import finds nothing new.
        Assert.Equal("", (await ImportAsync()).Done().Out);
    }

    [Fact]
    public async Task Entry_with_an_unset_variable_and_other_schemes_is_added_without_them()
    {
        Configure(".cursor/mcp.json", "one", ["https://one.example/mcp", "--header", "Authorization: Basic abc", "--header", "X-Key:${MISSING}"], []);

        var error = (await ImportAsync()).Done().Error;

        Assert.Contains("header 'X-Key' of 'one' was left", error);
        Assert.Contains("Authorization header of 'one' was left", error);
        Assert.DoesNotContain("abc", error);
    }

    private static void RequireLeft(CliResult ended, string reason)
    {
        Assert.Equal(ExitCode.Failed, ended.Code);
        Assert.Contains(reason, ended.Error);
    }

    private async Task<CliResult> ImportAsync(string options = "") => await _mcpsm.RunAsync($"import --from mcp-remote {options}".Trim());

    private async Task<string?> StateAsync() => (string?)JsonNode.Parse((await _mcpsm.RunAsync("auth status --json")).Out)![0]!["state"];

    /// <summary>Writes a token set as version 0.15.1 of the package does.</summary>
    private string Write(string token, string? url = null, string version = "mcp-remote-v1")
    {
        var folder = Directory.CreateDirectory(Path.Combine(Home, ".mcp-auth", version)).FullName;
        var hash = McpRemoteEntry.Hash(url ?? _server.McpUrl.OriginalString, null, null, null, null, null);
        var file = Path.Combine(folder, hash + "_tokens.json");
        File.WriteAllText(file, $$"""
            {
              "access_token": "{{token}}",
              "token_type": "Bearer",
              "expires_in": 3600,
              "scope": "mcp:tools",
              "refresh_token": "{{Refresh}}",
              "expires_at": {{_mcpsm.Clock.Now.AddHours(1).ToUnixTimeMilliseconds()}},
              "requested_scope": "mcp:tools"
            }
            """);
        return file;
    }

    private void Configure(string path, string name, string[] arguments, JsonObject variables)
    {
        var file = Path.Combine(Home, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var entry = new JsonObject
        {
            ["command"] = "npx",
            ["args"] = new JsonArray(["mcp-remote", .. arguments.Select(argument => (JsonNode)argument)]),
            ["env"] = variables,
        };
        File.WriteAllText(file, new JsonObject { ["mcpServers"] = new JsonObject { [name] = entry } }.ToJsonString());
    }
}

using McpSm.Clients.Catalog;
using McpSm.Clients.Entries;
using McpSm.Clients.Management;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using Xunit;

namespace McpSm.Clients.Tests.Management;

public sealed class ClientConfigurationTests : IDisposable
{
    private const string Secret = "s3cr3t-t0ken-of-someone";

    private readonly string _home = Directory.CreateTempSubdirectory("mcpsm-clients-").FullName;
    private readonly Dictionary<string, string> _variables = new(StringComparer.Ordinal);
    private readonly AppEnvironment _environment;
    private readonly ClientLocator _locator;
    private readonly ClientConfiguration _configuration;
    private readonly McpServer _server = new() { Id = "my-api", Name = "my-api", Url = "https://example.com/mcp" };

    public ClientConfigurationTests()
    {
        _variables["HOME"] = _home;
        _environment = new AppEnvironment(name => _variables.GetValueOrDefault(name));
        _locator = new ClientLocator(new ClientEnvironment(ClientSystem.Linux, _home, _environment.Variable), Path.Combine(_home, "project"));
        _configuration = new ClientConfiguration(_environment, _locator);
    }

    private RelayProgram Program => new("/opt/mcpsm", [], _environment.Variable);

    public void Dispose() => Directory.Delete(_home, recursive: true);

    public static TheoryData<string> Ids =>
        [.. ClientCatalog.Clients.Where(client => client.User.Expand(new ClientEnvironment(ClientSystem.Linux, "/home/me", _ => null)).Count > 0)
            .Select(client => client.Id)];

    [Theory, MemberData(nameof(Ids))]
    public async Task Client_gets_an_entry_and_loses_it_again(string id)
    {
        var location = _locator.Get(ClientLocator.Get(id), ClientScope.User);
        Assert.Equal(ClientAction.Added, (await AddAsync(location)).Action);
        Assert.Equal(ClientAction.Unchanged, (await AddAsync(location)).Action);
        var entry = Assert.Single(_configuration.Read(location).Servers);
        Assert.Equal((EntryKind.Relay, "my-api", "/opt/mcpsm"), (entry.Kind, entry.Server, entry.Command));
        var removed = Assert.Single(await _configuration.RemoveAsync(location, "my-api", null, dryRun: false, Cancellation));
        Assert.Equal(ClientAction.Removed, removed.Action);
        Assert.False(File.Exists(location.Path));
    }

    [Fact]
    public async Task Dry_run_shows_the_difference_and_writes_nothing()
    {
        var location = _locator.Get(ClientLocator.Get("cursor"), ClientScope.User);
        var change = await _configuration.AddAsync(location, new AddRequest(_server, DryRun: true), Program, Cancellation);
        Assert.Equal(ClientAction.Added, change.Action);
        Assert.Contains("+      \"command\": \"/opt/mcpsm\"", change.Diff, StringComparison.Ordinal);
        Assert.False(File.Exists(location.Path));
    }

    [Fact]
    public async Task Difference_has_no_secret_of_the_file()
    {
        var location = WriteCursor("""{"mcpServers":{"x":{"url":"https://e.com","headers":{"Authorization":"Bearer SECRET"}}}}"""
            .Replace("SECRET", Secret, StringComparison.Ordinal));
        var change = await _configuration.AddAsync(location, new AddRequest(_server, "x", Force: true, DryRun: true), Program, Cancellation);
        Assert.Equal(ClientAction.Updated, change.Action);
        Assert.DoesNotContain(Secret, change.Diff, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"command":"npx","args":["other","--api-key","SECRET"]}""")]
    [InlineData("""{"command":"other","args":["--api-key=SECRET"]}""")]
    [InlineData("""{"url":"https://e.com","auth":{"clientSecret":"SECRET"}}""")]
    public async Task Difference_has_no_text_of_another_entry(string entry)
    {
        var value = entry.Replace("SECRET", Secret, StringComparison.Ordinal);
        var location = WriteCursor("{\n\"mcpServers\": {\n\"x\": " + value + "\n}\n}");
        var change = await _configuration.AddAsync(location, new AddRequest(_server, "x", Force: true, DryRun: true), Program, Cancellation);
        Assert.Equal(ClientAction.Updated, change.Action);
        Assert.DoesNotContain(Secret, change.Diff, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Difference_of_a_long_line_shows_only_what_changes()
    {
        var location = WriteCursor($$$"""{"unrelated":"{{{Secret}}}","pad":"{{{new string('x', 300)}}}","mcpServers":{}}""");
        var change = await _configuration.AddAsync(location, new AddRequest(_server, DryRun: true), Program, Cancellation);
        Assert.Contains("/opt/mcpsm", change.Diff, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, change.Diff, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"mcpServers":{"my-api":{"command":"npx","args":["other"]}}}""")]
    [InlineData("""{"mcpServers":{"my-api":{"url":"https://example.com/mcp"}}}""")]
    [InlineData("""{"mcpServers":{"my-api":{"command":"mcpsm","args":["proxy","another"]}}}""")]
    public async Task Entry_of_something_else_is_replaced_only_by_force(string text)
    {
        var location = WriteCursor(text);
        var error = await Assert.ThrowsAsync<McpAuthException>(() => AddAsync(location));
        Assert.Equal(ErrorReason.InvalidValue, error.Reason);
        Assert.Equal(text, await File.ReadAllTextAsync(location.Path, Cancellation));
        await _configuration.AddAsync(location, new AddRequest(_server, Force: true), Program, Cancellation);
        Assert.Equal("my-api", Assert.Single(_configuration.Read(location).Servers).Server);
    }

    [Fact]
    public async Task Entry_that_was_renamed_by_hand_is_updated()
    {
        var location = WriteCursor("""{"mcpServers":{"mine":{"command":"/old/mcpsm","args":["proxy","my-api"],"timeout":5}}}""");
        Assert.Equal(("mine", ClientAction.Updated), await AddAsync(location) is var change ? (change.Name, change.Action) : default);
        Assert.Contains("\"timeout\":5", await File.ReadAllTextAsync(location.Path, Cancellation), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b")]
    [InlineData("")]
    [InlineData("ü")]
    public async Task Name_that_some_client_refuses_is_an_error(string name) =>
        Assert.Equal(ErrorReason.InvalidValue, (await Assert.ThrowsAsync<McpAuthException>(() => _configuration.AddAsync(
            _locator.Get(ClientLocator.Get("cursor"), ClientScope.User), new AddRequest(_server, name), Program, Cancellation))).Reason);

    [Fact]
    public async Task Project_entry_has_no_path_and_no_variable_of_the_user()
    {
        _variables["XDG_RUNTIME_DIR"] = "/run/user/7";
        var location = _locator.Get(ClientLocator.Get("vscode"), ClientScope.Project);
        await AddAsync(location);
        Assert.Equal("""{"servers":{"my-api":{"type":"stdio","command":"mcpsm","args":["proxy","my-api"]}}}""",
            System.Text.Json.Nodes.JsonNode.Parse(await File.ReadAllTextAsync(location.Path, Cancellation))!.ToJsonString());
    }

    [Fact]
    public async Task Entry_passes_on_only_variables_that_are_no_secret()
    {
        _variables["XDG_RUNTIME_DIR"] = "/run/user/7";
        _variables["MCPSM_VAULT_PASSPHRASE"] = Secret;
        _variables["HTTPS_PROXY"] = $"http://me:{Secret}@proxy:8080";
        _variables["HTTP_PROXY"] = "http://proxy:8080";
        var location = _locator.Get(ClientLocator.Get("cursor"), ClientScope.User);
        await AddAsync(location);
        Assert.Equal(["HTTP_PROXY", "XDG_RUNTIME_DIR"], Assert.Single(_configuration.Read(location).Servers).Environment.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Client_without_a_headers_helper_is_an_error()
    {
        var location = _locator.Get(ClientLocator.Get("cursor"), ClientScope.User);
        var error = await Assert.ThrowsAsync<McpAuthException>(() =>
            _configuration.AddAsync(location, new AddRequest(_server, AsHelper: true), Program, Cancellation));
        Assert.Contains("Cursor", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("claude-code", "headersHelper")]
    [InlineData("codex", "http_headers_helper")]
    public async Task Client_with_a_headers_helper_gets_the_command(string id, string member)
    {
        var location = _locator.Get(ClientLocator.Get(id), ClientScope.User);
        await _configuration.AddAsync(location, new AddRequest(_server, AsHelper: true), Program, Cancellation);
        var text = await File.ReadAllTextAsync(location.Path, Cancellation);
        Assert.Contains(member, text, StringComparison.Ordinal);
        Assert.Contains("/opt/mcpsm auth token my-api --json", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sync_changes_only_the_executable_of_our_entries()
    {
        var location = WriteCursor("""
            {
              // mine
              "mcpServers": {
                "a": { "command": "/old/mcpsm", "args": ["proxy", "--sign-in", "a"], "env": { "MCPSM_VAULT": "file" } },
                "b": { "command": "wsl", "args": ["mcpsm", "proxy", "b"] },
                "c": { "command": "/old/other", "args": ["proxy", "c"] }
              }
            }
            """);
        var before = await File.ReadAllTextAsync(location.Path, Cancellation);
        var change = Assert.Single(await _configuration.SyncAsync(location, Program, dryRun: false, Cancellation));
        Assert.Equal(("a", ClientAction.Updated), (change.Name, change.Action));
        Assert.Equal(before.Replace("/old/mcpsm", "/opt/mcpsm", StringComparison.Ordinal), await File.ReadAllTextAsync(location.Path, Cancellation));
        Assert.Equal(ClientAction.Unchanged, Assert.Single(await _configuration.SyncAsync(location, Program, dryRun: false, Cancellation)).Action);
    }

    [Fact]
    public void List_has_the_clients_that_are_installed_and_their_servers()
    {
        Directory.CreateDirectory(Path.Combine(_home, ".codeium", "windsurf"));
        WriteCursor("""{"mcpServers":{"x":{"url":"https://e.com/mcp"}}}""");
        var list = _configuration.List();
        Assert.Equal(["cursor", "windsurf"], list.Select(status => status.Client.Id));
        Assert.Equal(EntryKind.Remote, Assert.Single(list[0].Servers).Kind);
        Assert.False(list[1].Exists);
    }

    [Fact]
    public void List_has_a_file_once_if_the_home_folder_is_the_project()
    {
        var location = WriteCursor("{}");
        var locator = new ClientLocator(new ClientEnvironment(ClientSystem.Linux, _home, _environment.Variable), _home);
        Assert.Equal(location.Path, Assert.Single(new ClientConfiguration(_environment, locator).List()).Location.Path);
    }

    [Theory]
    [InlineData("{ not json")]
    [InlineData("""{"mcpServers":7}""")]
    public async Task File_that_cannot_be_used_is_an_error_and_stays(string text)
    {
        var location = WriteCursor(text);
        Assert.Equal(ErrorReason.ConfigurationCorrupt, _configuration.Read(location).Error?.Reason);
        Assert.Equal(ErrorReason.ConfigurationCorrupt, (await Assert.ThrowsAsync<McpAuthException>(() => AddAsync(location))).Reason);
        Assert.Equal(text, await File.ReadAllTextAsync(location.Path, Cancellation));
    }

    private Task<ClientChange> AddAsync(ClientLocation location) => _configuration.AddAsync(location, new AddRequest(_server), Program, Cancellation);

    private ClientLocation WriteCursor(string text)
    {
        Directory.CreateDirectory(Path.Combine(_home, ".cursor"));
        File.WriteAllText(Path.Combine(_home, ".cursor", "mcp.json"), text);
        return _locator.Get(ClientLocator.Get("cursor"), ClientScope.User);
    }
}

using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Interop;

/// <summary><c>import --from mcp-remote</c> with the files that the package itself has written.</summary>
public sealed class McpRemoteImportTests : IAsyncLifetime
{
    private readonly InProcessCli _mcpsm = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    private string Home => _mcpsm.PathOf("home");

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TestMcpServer.StartAsync(_issuer);
        _mcpsm.Variables["HOME"] = Home;
        Directory.CreateDirectory(Home);
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task Sign_in_of_the_package_is_taken_over_by_its_URL()
    {
        await McpRemote.SignInAsync(Home, _server.McpUrl.OriginalString);
        var token = (string)JsonNode.Parse(await File.ReadAllTextAsync(TokenFiles().Single(), Cancellation))!["access_token"]!;
        _mcpsm.Clock.Now = TimeProvider.System.GetUtcNow();

        (await _mcpsm.RunAsync($"import --from mcp-remote --url {_server.McpUrl}")).Done();

        Assert.Empty(TokenFiles());
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(Home, ".mcp-auth"), "*client_info.json", SearchOption.AllDirectories));
        Assert.Equal(token, (await _mcpsm.RunAsync($"auth token {await IdAsync()}")).Done().Out.Trim());
        Assert.Empty(_issuer.Traffic.OfGrant("refresh_token"));
        // The client that the package registered renews the tokens.
        (await _mcpsm.RunAsync($"auth refresh {await IdAsync()}")).Done();
        Assert.Single(_issuer.Traffic.To("/register"));
    }

    [Fact]
    public async Task Expired_sign_in_of_the_package_is_renewed_once()
    {
        await McpRemote.SignInAsync(Home, _server.McpUrl.OriginalString);
        Assert.True(_mcpsm.Clock.Now > TimeProvider.System.GetUtcNow().AddHours(1));

        (await _mcpsm.RunAsync($"import --from mcp-remote --url {_server.McpUrl}")).Done();

        Assert.Empty(TokenFiles());
        (await _mcpsm.RunAsync($"test {await IdAsync()}")).Done();
        Assert.Single(_issuer.Traffic.OfGrant("refresh_token"));
        Assert.Single(_issuer.Traffic.To("/register"));
    }

    [Fact]
    public async Task Sign_in_with_options_is_found_by_the_entry_of_a_client()
    {
        string[] options = ["--resource", _server.Resource, "--header", "X-Tenant:${TENANT}", "--authorize-param", "prompt=consent",
            "--ignore-tool", "delete*"];
        await McpRemote.SignInAsync(Home, [_server.McpUrl.OriginalString, .. options]);
        var args = new JsonArray(["-y", "mcp-remote@latest", _server.McpUrl.OriginalString, .. options.Select(option => (JsonNode)option)]);
        var entry = new JsonObject { ["command"] = "npx", ["args"] = args, ["env"] = new JsonObject { ["TENANT"] = "acme" } };
        Directory.CreateDirectory(Path.Combine(Home, ".cursor"));
        await File.WriteAllTextAsync(Path.Combine(Home, ".cursor", "mcp.json"),
            "// comment\n" + new JsonObject { ["mcpServers"] = new JsonObject { ["My Tenant"] = entry } }.ToJsonString(), Cancellation);

        (await _mcpsm.RunAsync("import --from mcp-remote")).Done();

        Assert.Empty(TokenFiles());
        var server = JsonNode.Parse((await _mcpsm.RunAsync("list --json")).Done().Out)![0]!;
        Assert.Equal("My Tenant", (string?)server["name"]);
        Assert.Equal("consent", (string?)server["authorizeParams"]!["prompt"]);
        Assert.Equal("delete*", (string?)server["ignoreTools"]![0]);
        Assert.Equal("X-Tenant", (string?)server["headerNames"]![0]);
        (await _mcpsm.RunAsync(["test", "My Tenant"])).Done();
        Assert.Equal("acme", _server.Traffic.To("/mcp")[^1].Header("X-Tenant"));
    }

    private async Task<string> IdAsync() => (string)JsonNode.Parse((await _mcpsm.RunAsync("list --json")).Done().Out)![0]!["id"]!;

    private List<string> TokenFiles() => [.. Directory.EnumerateFiles(Path.Combine(Home, ".mcp-auth"), "*_tokens.json", SearchOption.AllDirectories)];
}

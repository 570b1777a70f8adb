using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using McpSm.Commands.Tests.Support;
using McpSm.Core.Management.McpRemote;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Documentation;

/// <summary>The examples and tables of docs/from-mcp-remote.md.</summary>
public sealed partial class FromMcpRemotePageTests : IAsyncLifetime
{
    private const string Initialize = """{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}""";

    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "from-mcp-remote.md"));

    private readonly CliProcess _mcpsm = new();
    private TestIssuer _issuer = null!;
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _issuer = await TestIssuer.StartAsync();
        _server = await TestMcpServer.StartAsync(_issuer);
        _mcpsm.Variables["HOME"] = _mcpsm.Folder;
    }

    public async ValueTask DisposeAsync()
    {
        _mcpsm.Dispose();
        await _server.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task Configuration_of_the_page_starts_a_relay()
    {
        (await _mcpsm.RunAsync($"add my-api --type http --url {_server.McpUrl}")).Done();
        foreach (var line in Blocks("sh").Where(block => block.Contains("auth login")).SelectMany(block => block.Trim().Split('\n')))
        {
            (await _mcpsm.RunAsync(line["mcpsm ".Length..])).Done();
        }
        var entries = Blocks("json").Select(block => JsonNode.Parse(block)!["mcpServers"]!["my-api"]!)
            .Where(entry => (string?)entry["command"] == "mcpsm").ToList();
        Assert.Equal(2, entries.Count);
        foreach (var entry in entries)
        {
            foreach (var (name, value) in entry["env"]?.AsObject() ?? [])
            {
                _mcpsm.Variables[name] = (string?)value;
            }
            var words = entry["args"]!.AsArray().Select(word => ((string)word!).Replace("https://example.com/mcp", _server.McpUrl.OriginalString));
            using var relay = _mcpsm.Start([.. words]);
            await relay.StandardInput.WriteLineAsync(Initialize);
            Assert.Contains("\"result\"", await relay.StandardOutput.ReadLineAsync(Cancellation));
            relay.StandardInput.Close();
            await relay.WaitForExitAsync(Cancellation);
        }
        Assert.Equal("acme", _server.Traffic.To("/mcp")[^1].Header("X-Tenant"));
    }

    [Fact]
    public async Task Import_of_the_page_takes_over_its_entry()
    {
        var entry = Blocks("json").Single(block => block.Contains("npx"));
        Directory.CreateDirectory(Path.Combine(_mcpsm.Folder, ".cursor"));
        await File.WriteAllTextAsync(Path.Combine(_mcpsm.Folder, ".cursor", "mcp.json"), entry, Cancellation);

        foreach (var line in Blocks("sh")[0].Trim().Split('\n'))
        {
            (await _mcpsm.RunAsync(line["mcpsm ".Length..])).Done();
        }

        var server = JsonNode.Parse((await _mcpsm.RunAsync("list --json")).Done().Out)![0]!;
        Assert.Equal(("my-api", "https://example.com/mcp"), ((string?)server["id"], (string?)server["url"]));
        Assert.Equal("X-Tenant", (string?)server["headerNames"]![0]);
        Assert.Equal("delete*", (string?)server["ignoreTools"]![0]);
    }

    [Fact]
    public async Task Option_of_Mcpsm_on_the_page_exists()
    {
        var help = new[] { "add", "server update", "proxy", "auth login", "import", "auth set" }
            .Select(async command => (await _mcpsm.RunAsync(command + " --help")).Done().Out);
        var known = Option().Matches(string.Join('\n', await Task.WhenAll(help))).Select(option => option.Value).ToHashSet();
        var right = Page.Split('\n').Where(line => line.StartsWith("| `", StringComparison.Ordinal)).Select(line => line.Split(" | ")[^1]);
        Assert.All(right.SelectMany(cell => Option().Matches(cell)), option => Assert.Contains(option.Value, known));
    }

    [Fact]
    public void Entry_of_the_page_is_one_of_the_package()
    {
        var args = JsonNode.Parse(Blocks("json")[0])!["mcpServers"]!["my-api"]!["args"]!.AsArray().Select(word => (string)word!).ToList();
        Assert.Equal("https://example.com/mcp", McpRemoteArguments.Read(["npx", .. args], new Dictionary<string, string>(), _ => null)?.Url);
    }

    private static List<string> Blocks(string language) =>
        [.. Block().Matches(Page).Where(block => block.Groups[1].Value == language).Select(block => block.Groups[2].Value)];

    [GeneratedRegex(@"^```(\w+)\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"--[a-z][a-z-]+")]
    private static partial Regex Option();
}

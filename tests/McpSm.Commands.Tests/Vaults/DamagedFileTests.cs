using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Vaults;

/// <summary>
/// Tests of files that cannot be parsed. A command that needs the file prints one error and exits with 1, every other command works,
/// and the file stays unchanged.
/// </summary>
public sealed class DamagedFileTests
{
    private static readonly string[] Every =
    [
        "list", "list --json", "add other --type http --url https://b.example/mcp", "server update my-api --name renamed",
        "server update my-api --header X-Key=1", "remove my-api --yes", "test my-api", "test", "auth status", "auth status my-api",
        "auth status --json", "auth login my-api --no-browser", "auth my-api --no-browser", "auth logout my-api --force",
        "auth login-all --no-browser", "auth refresh my-api", "auth set my-api new-token", "auth revoke my-api", "auth forget my-api", "auth token my-api",
        "auth token my-api --header",
    ];

    public static TheoryData<string> EveryCommand => [.. Every];

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public async Task Damaged_catalog_is_one_error_and_unchanged(string line)
    {
        using var mcpsm = await SignedInAsync("config.json", """{ "remoteServers": [ { "id": "my-api",, } ] }""");
        var before = mcpsm.Files();
        (await mcpsm.RunAsync(line)).Failed(1, $"Cannot use '{mcpsm.PathOf("config.json")}': it is not valid JSON at line 1, column 39.",
            "It was not changed");
        Assert.Equal(before, mcpsm.Files());
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "its root is not an object")]
    [InlineData("{\"remoteServers\":{}}", "'remoteServers' is not an array")]
    [InlineData("{\"remoteServers\":[1]}", "remoteServers[0] is not an object")]
    [InlineData("{\"remoteServers\":[{\"id\":\"a\"}]}", "remoteServers[0] has no 'url'")]
    [InlineData("{\"remoteServers\":[{\"url\":\"https://a.example\"}]}", "remoteServers[0] has no 'id'")]
    [InlineData("{\"remoteServers\":[{\"id\":\"a\",\"url\":\"https://a.example\",\"type\":\"stdio\"}]}", "neither http nor sse")]
    [InlineData("{\"remoteServers\":[],\"remoteServers\":[]}", "not valid JSON")]
    [InlineData("{\"remoteServers\":[]\n,\n  \"port\":}", "at line 3, column 10")]
    [InlineData("{\"remoteServers\":[", "not valid JSON")]
    public async Task Catalog_with_other_damage_is_one_error(string content, string says)
    {
        using var mcpsm = new InProcessCli();
        mcpsm.Write("config.json", content);
        var before = mcpsm.Files();
        foreach (var line in new[] { "list", "add b --type http --url https://b.example/mcp", "auth status", "remove a --yes" })
        {
            (await mcpsm.RunAsync(line)).Failed(1, "config.json", says);
        }
        Assert.Equal(before, mcpsm.Files());
    }

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public async Task Damaged_index_is_one_error_and_unchanged(string line)
    {
        using var mcpsm = await SignedInAsync("credentials.json", "{\n  \"version\": 1, oops");
        var (config, rest) = (mcpsm.Files("credentials.json", "credentials.enc"), mcpsm.Files("config.json"));
        var ended = await mcpsm.RunAsync(line);
        const string says = "it is not valid JSON at line 2, column 17.";
        if (line.StartsWith("auth status"))
        {
            Assert.Equal(1, ended.Code);
            Assert.Contains(line.EndsWith("--json") ? "\"state\": \"Unknown\"" : "  my-api          ? Unknown\n", ended.Out);
            Assert.Contains(says, ended.Out + ended.Error);
            (ended with { Out = "" }).Failed(1, says);
        }
        else if (line.StartsWith("test"))
        {
            Assert.Equal(1, ended.Code);
            Assert.StartsWith("Testing my-api... ✘ Failed (", ended.Out);
            Assert.Contains("line 2, column 17", ended.Out);
        }
        else if (IsOf(line, "list", "add", "server update my-api --name"))
        {
            ended.Done();
            config = mcpsm.Files("credentials.json", "credentials.enc");
        }
        else
        {
            ended.Failed(1, $"Cannot use '{mcpsm.PathOf("credentials.json")}'", says);
        }
        Assert.Equal(config, mcpsm.Files("credentials.json", "credentials.enc"));
        Assert.Equal(rest, mcpsm.Files("config.json"));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("{\"mcpsmclient-1\":1}")]
    [InlineData("{\"mcpsmclient-1\":{}}")]
    [InlineData("{\"mcpsmclient-1\":{\"issuer\":\"https://i.example\",\"servers\":[1]}}")]
    public async Task Damaged_registrations_in_the_index_are_one_error_and_unchanged(string registrations)
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"), "my-api", "--issuer", "https://i.example");
        mcpsm.Write("credentials.json", $"{{\"version\":1,\"servers\":{{}},\"registrations\":{registrations}}}");
        // auth set writes the token to the vault before the index.
        string[] vault = ["credentials.enc", "credentials.key", "settings.json"];
        var before = mcpsm.Files(vault);
        (await mcpsm.RunAsync("auth forget my-api")).Failed(1, "credentials.json");
        (await mcpsm.RunAsync("auth set my-api a-token")).Failed(1, "credentials.json");
        (await mcpsm.RunAsync("remove my-api --yes")).Failed(1, "credentials.json");
        Assert.Equal(before, mcpsm.Files(vault));
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"version\":2,\"servers\":{}}")]
    [InlineData("{\"version\":1,\"servers\":null}")]
    [InlineData("{\"version\":1,\"servers\":{\"my-api\":null}}")]
    [InlineData("{\"version\":1,\"servers\":{\"my-api\":{\"kind\":\"Password\"}}}")]
    public async Task Index_with_other_damage_is_one_error(string content)
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        mcpsm.Write("credentials.json", content);
        var before = mcpsm.Files();
        var status = await mcpsm.RunAsync("auth status my-api");
        Assert.Contains("? Unknown", status.Out);
        (status with { Out = "" }).Failed(1, "credentials.json");
        Assert.Equal(2, status.Error.Split("credentials.json").Length);
        (await mcpsm.RunAsync("auth set my-api a-token")).Failed(1, "credentials.json");
        Assert.Equal(before, mcpsm.Files());
    }

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public async Task Damaged_vault_is_one_error_and_unchanged(string line)
    {
        using var mcpsm = await SignedInAsync("credentials.enc", "no vault at all, but long enough to hold its header");
        var (config, rest) = (mcpsm.Files("credentials.json", "credentials.enc"), mcpsm.Files("config.json"));
        var ended = await mcpsm.RunAsync(line);
        if (IsOf(line, "list", "add", "auth status", "server update my-api --name"))
        {
            ended.Done();
            config = mcpsm.Files("credentials.json", "credentials.enc");
            Assert.True(!line.StartsWith("auth status") || ended.Out.Contains("Authenticated"));
        }
        else if (line.StartsWith("test"))
        {
            Assert.Equal(1, ended.Code);
            Assert.StartsWith("Testing my-api... ✘ Failed (credentials.enc is damaged: ", ended.Out);
        }
        else if (line.StartsWith("auth login-all"))
        {
            // A valid server is skipped because of its index entry, without opening the vault.
            ended.Done();
        }
        else
        {
            ended.Failed(1, "credentials.enc is damaged: the file does not start with the expected bytes. The file was not changed.",
                "Restore the file from a backup");
        }
        Assert.Equal(config, mcpsm.Files("credentials.json", "credentials.enc"));
        Assert.Equal(rest, mcpsm.Files("config.json"));
    }

    [Theory]
    [MemberData(nameof(EveryCommand))]
    public async Task Damaged_settings_are_one_error_and_unchanged(string line)
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("http://127.0.0.1:1/mcp"));
        mcpsm.Write("settings.json", "{ \"vault\": }");
        var before = mcpsm.Files();
        var ended = await mcpsm.RunAsync(line);
        const string says = "it is not valid JSON at line 1, column 12.";
        if (IsOf(line, "list", "add", "auth status", "server update my-api --name"))
        {
            Assert.Equal(line == "auth status my-api" ? 4 : 0, ended.Code);
            Assert.DoesNotContain("✘", ended.Error);
            Assert.Equal(before["settings.json"], mcpsm.Files()["settings.json"]);
            return;
        }
        if (line.StartsWith("test"))
        {
            Assert.Equal(1, ended.Code);
            Assert.Contains(says.TrimEnd('.'), ended.Out);
        }
        else
        {
            ended.Failed(1, $"Cannot use '{mcpsm.PathOf("settings.json")}'", says);
        }
        Assert.Equal(before, mcpsm.Files());
    }

    [Theory]
    [InlineData("settings.json", """{"vault":"\ud800"}""", "auth set my-api a-token")]
    [InlineData("oauth-tokens.json", """{"my-api":{"accessToken":"\ud800"}}""", "import")]
    [InlineData("config.json", """{"\ud800":1,"remoteServers":[]}""", "auth set my-api a-token")]
    [InlineData("settings.json", """{"\ud800":1}""", "auth set my-api a-token")]
    [InlineData("oauth-tokens.json", """{"\ud800":1}""", "import")]
    public async Task File_with_invalid_Unicode_is_one_error(string file, string content, string line)
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        mcpsm.Write(file, content);
        var before = mcpsm.Files();
        (await mcpsm.RunAsync(line)).Failed(1, $"Cannot use '{mcpsm.PathOf(file)}'");
        Assert.DoesNotContain("unexpected", (await mcpsm.RunAsync("auth status")).Error);
        Assert.Equal(before, mcpsm.Files());
    }

    [Fact]
    public async Task Damaged_index_is_one_error_for_all_servers()
    {
        using var mcpsm = await SignedInAsync("credentials.json", "{");
        await mcpsm.AddAsync(new Uri("http://127.0.0.1:1/mcp"), "other");
        (await mcpsm.RunAsync("auth login-all")).Failed(1, "credentials.json");
    }

    [Theory]
    [InlineData("add other --type http --url https://b.example/mcp --header X-Key=1")]
    [InlineData("add other --type http --url https://b.example/mcp --token -")]
    [InlineData("server update my-api --name renamed --url https://b.example/mcp --header X-Key=1")]
    [InlineData("server update my-api --scope other --token -")]
    public async Task Change_that_fails_in_the_vault_changes_no_file(string line)
    {
        using var mcpsm = await SignedInAsync("credentials.enc", "damaged");
        var before = mcpsm.Files();
        (await mcpsm.RunAsync(line, TestConsole.Pipe("piped-token"))).Failed(1, "credentials.enc is damaged: the file is truncated");
        Assert.Equal(before, mcpsm.Files());
    }

    private static bool IsOf(string line, params string[] starts) =>
        starts.Any(s => line.StartsWith(s, StringComparison.Ordinal));

    /// <summary>Signs in and then damages a file.</summary>
    private static async Task<InProcessCli> SignedInAsync(string file, string content)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Done();
        mcpsm.Write(file, content);
        return mcpsm;
    }
}

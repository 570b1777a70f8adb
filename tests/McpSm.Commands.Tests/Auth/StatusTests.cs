using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>Tests of the text, the fields and the exit codes of <c>auth status</c> for each state.</summary>
public sealed class StatusTests
{
    private static readonly string[] Fields =
    [
        "id", "name", "url", "transport", "kind", "tokenType", "state", "expiresAt", "expiresIn", "scopes", "issuer", "signedInBy", "vault",
        "canRenew", "renewalUncertain", "remedy", "plaintextFile",
    ];

    [Rule(32)]
    [Fact]
    public async Task Listed_url_has_an_ASCII_host_and_is_unchanged_in_JSON()
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://b\u00fccher.example:8443/mcp"));
        Assert.Contains("  https://xn--bcher-kva.example:8443/mcp\n", (await mcpsm.RunAsync("list")).Done().Out);
        Assert.Equal("https://b\u00fccher.example:8443/mcp", (string?)JsonNode.Parse((await mcpsm.RunAsync("list --json")).Done().Out)![0]!["url"]);
    }

    [Fact]
    public async Task Status_without_a_credential_is_not_authenticated()
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        await SaysAsync(mcpsm, "✘ Not authenticated", 4, "mcpsm auth login my-api");
        await HasAsync(mcpsm, "None", "NotAuthenticated", null, canRenew: false, remedy: "mcpsm auth login my-api");
    }

    [Theory]
    [InlineData(3600, 18 * 60, "in 42 min", "Authenticated", null)]
    [InlineData(5 * 3600, 0, "in 5 h", "Authenticated", null)]
    [InlineData(86399, 0, "in 24 h", "Authenticated", null)]
    [InlineData(5400, 1, "in 89 min", "Authenticated", null)]
    [InlineData(3600, 55 * 60, "in 5 min", "Authenticated", null)]
    [InlineData(3600, 55 * 60 + 1, "in 4 min", "ExpiringSoon", "mcpsm auth refresh my-api")]
    [InlineData(600, 541, "in 59 s", "ExpiringSoon", "mcpsm auth refresh my-api")]
    public async Task Status_with_less_than_a_day_left_shows_the_time_left(int lifetime, int after, string words, string state, string? remedy)
    {
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { AccessTokenLifetime = TimeSpan.FromSeconds(lifetime) });
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = await SignedInAsync(server);
        var end = mcpsm.Clock.Now.AddSeconds(lifetime);
        mcpsm.Clock.Now += TimeSpan.FromSeconds(after);
        await SaysAsync(mcpsm, $"✔ Authenticated (expires: {words})", 0, remedy);
        var status = await HasAsync(mcpsm, "OAuth", state, end, canRenew: true, remedy);
        Assert.Equal(lifetime - after, (int)status["expiresIn"]!);
        Assert.Equal(issuer.Issuer, (string?)status["issuer"]);
        Assert.Equal("file", (string?)status["vault"]);
        Assert.Equal(["mcp:tools"], status["scopes"]!.AsArray().Select(s => (string)s!));
        Assert.Equal(server.McpUrl.AbsoluteUri, (string?)status["url"]);
    }

    [Fact]
    public async Task Status_with_days_left_shows_the_date()
    {
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { AccessTokenLifetime = TimeSpan.FromDays(10) });
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = await SignedInAsync(server);
        var end = mcpsm.Clock.Now.AddDays(10);
        await SaysAsync(mcpsm, $"✔ Authenticated (expires: {end.ToLocalTime():yyyy-MM-dd})", 0, null);
        mcpsm.Clock.Now = end.AddDays(-1);
        await SaysAsync(mcpsm, $"✔ Authenticated (expires: {end.ToLocalTime():yyyy-MM-dd})", 0, null);
        mcpsm.Clock.Now += TimeSpan.FromSeconds(1);
        await SaysAsync(mcpsm, "✔ Authenticated (expires: in 24 h)", 0, null);
    }

    [Theory]
    [InlineData(true, ", can be renewed", 0, "mcpsm auth refresh my-api")]
    [InlineData(false, "", 4, "mcpsm auth login my-api")]
    public async Task Status_of_an_expired_token_says_whether_it_can_be_renewed(bool renewable, string words, int code, string remedy)
    {
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { IssueRefreshTokens = renewable });
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = await SignedInAsync(server);
        var end = mcpsm.Clock.Now += TimeSpan.FromHours(1);
        await SaysAsync(mcpsm, $"✘ Expired ({end.ToLocalTime():yyyy-MM-dd}{words})", code, remedy);
        Assert.Equal(0, (int)(await HasAsync(mcpsm, "OAuth", "Expired", end, renewable, remedy))["expiresIn"]!);
        mcpsm.Clock.Now += TimeSpan.FromHours(1);
        Assert.Equal(0, (int)(await mcpsm.StatusAsync())["expiresIn"]!);
    }

    [Fact]
    public async Task Status_without_an_expiry_time_is_unknown()
    {
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { OmitExpiresIn = true });
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = await SignedInAsync(server);
        var remedy = "mcpsm test my-api";
        await SaysAsync(mcpsm, "✔ Authenticated (expires: unknown)", 0, remedy);
        await HasAsync(mcpsm, "OAuth", "Unknown", null, canRenew: true, remedy);
    }

    [Fact]
    public async Task Status_after_a_renewal_without_response_is_uncertain()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = await SignedInAsync(server);
        issuer.Faults.DropConnectionAfterHandling("/token");
        (await mcpsm.RunAsync("auth refresh my-api")).Failed(1, "connection");
        await SaysAsync(mcpsm, "✔ Authenticated (expires: in 60 min) (the last renewal was interrupted)", 0, null);
        Assert.True((bool)(await mcpsm.StatusAsync())["renewalUncertain"]!);
    }

    [Fact]
    public async Task Status_of_a_bearer_token_has_no_expiry_time()
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        (await mcpsm.RunAsync("auth set my-api a-token")).Done();
        await SaysAsync(mcpsm, "✔ Bearer token set", 0, null);
        await HasAsync(mcpsm, "Bearer", "BearerToken", null, canRenew: false, remedy: null);
    }

    [Fact]
    public async Task Status_of_a_server_without_authentication_needs_nothing()
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"), "my-api", "--no-oauth");
        await SaysAsync(mcpsm, "○ No authentication needed", 0, null);
        await HasAsync(mcpsm, "None", "NoAuth", null, canRenew: false, remedy: null);
    }

    [Fact]
    public async Task Status_of_all_servers_has_columns_and_next_steps()
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"), "a-name-of-thirty-two-characters-");
        await mcpsm.AddAsync(new Uri("https://b.example/mcp"), "b");
        (await mcpsm.RunAsync("auth set b a-token")).Done();
        var ended = (await mcpsm.RunAsync("auth status")).Done();
        Assert.Equal("""
            Authentication Status:

              a-name-of-thirty-two-characters-  ✘ Not authenticated
              b                                 ✔ Bearer token set

            """, ended.Out);
        Assert.Equal("\nNext:\n  mcpsm auth login a-name-of-thirty-two-characters-\n", ended.Error);
    }

    [Fact]
    public async Task Status_without_servers_says_how_to_add_one()
    {
        using var mcpsm = new InProcessCli();
        var ended = (await mcpsm.RunAsync("auth status")).Done();
        Assert.Equal("There are no servers yet. Add one with: mcpsm add <name> --type http --url <url>\n", ended.Error);
        Assert.Equal("", ended.Out);
        Assert.Equal("[]\n", (await mcpsm.RunAsync("auth status --json")).Done().Out);
    }

    [Fact]
    public async Task Status_is_coloured_only_on_a_terminal()
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://a.example/mcp"));
        var console = new TestConsole { Colours = true, ErrorColours = true };
        Assert.Contains("  \x1b[31m✘\x1b[0m Not authenticated\n", (await mcpsm.RunAsync("auth status", console)).Out);
        var failed = await mcpsm.RunAsync("auth status nosuch", new TestConsole { Colours = true, ErrorColours = true });
        Assert.StartsWith("\x1b[31m✘\x1b[0m The server 'nosuch' was not found", failed.Error);
        // Standard output is a terminal and standard error is a file.
        var intoFile = await mcpsm.RunAsync("auth status nosuch", new TestConsole { Colours = true });
        Assert.StartsWith("✘ The server 'nosuch' was not found", intoFile.Error);
        Assert.DoesNotContain('\x1b', (await mcpsm.RunAsync("auth status", new TestConsole { ErrorColours = true })).Out);
        Assert.DoesNotContain('\x1b', (await mcpsm.RunAsync("auth status --json", new TestConsole { Colours = true })).Out);
    }

    private static async Task<InProcessCli> SignedInAsync(TestMcpServer server)
    {
        var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Done();
        return mcpsm;
    }

    private static async Task SaysAsync(InProcessCli mcpsm, string words, int code, string? next)
    {
        var one = await mcpsm.RunAsync("auth status my-api");
        Assert.Equal($"Authentication Status:\n\n  my-api          {words}\n", one.Out);
        Assert.Equal(next is null ? "" : $"\nNext:\n  {next}\n", one.Error);
        Assert.Equal(code, one.Code);
        // The status of all servers is a report: it exits with 0 for every state.
        var all = (await mcpsm.RunAsync("auth status")).Done();
        Assert.Equal(one.Out, all.Out);
    }

    private static async Task<JsonNode> HasAsync(InProcessCli mcpsm, string kind, string state, DateTimeOffset? expiresAt,
        bool canRenew, string? remedy)
    {
        var status = await mcpsm.StatusAsync();
        Assert.Equal(Fields, status.AsObject().Select(f => f.Key));
        Assert.Equal("my-api", (string?)status["id"]);
        Assert.Equal("my-api", (string?)status["name"]);
        Assert.Equal("http", (string?)status["transport"]);
        Assert.Equal(kind, (string?)status["kind"]);
        Assert.Equal(state, (string?)status["state"]);
        Assert.Equal(expiresAt?.UtcDateTime.ToString("O"), ((string?)status["expiresAt"])?.Replace("+00:00", "Z"));
        Assert.Equal(expiresAt is { } end ? (long)Math.Max(0, Math.Floor((end - mcpsm.Clock.Now).TotalSeconds)) : null, (long?)status["expiresIn"]);
        Assert.Equal(canRenew, (bool)status["canRenew"]!);
        Assert.False((bool)status["renewalUncertain"]!);
        Assert.Equal(remedy, (string?)status["remedy"]);
        return status;
    }
}

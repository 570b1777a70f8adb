using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Servers;

/// <summary>Tests of servers that are unreachable, are no MCP servers, never answer, or need no credential.</summary>
public sealed class BadServerTests
{
    private static readonly Uri Nowhere = new("http://127.0.0.1:1/mcp");

    [Fact]
    public async Task Unreachable_server_is_one_error()
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(Nowhere);
        var before = mcpsm.Files();
        (await mcpsm.LoginAsync()).Failed(1, "Cannot reach http://127.0.0.1:1: the connection was refused or timed out.", "Check the URL");
        Assert.Equal("Testing my-api... ✘ Failed (Cannot reach http://127.0.0.1:1: the connection was refused or timed out)\n", await TestFailsAsync(mcpsm));
        Assert.Equal(before, mcpsm.Files());
    }

    [Fact]
    public async Task Server_whose_name_does_not_resolve_is_one_error()
    {
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(new Uri("https://nowhere.invalid/mcp"));
        (await mcpsm.LoginAsync()).Failed(1, "Cannot reach https://nowhere.invalid");
    }

    [Fact]
    public async Task Server_that_returns_a_web_page_is_one_error()
    {
        await using var server = await TestMcpServer.StartAsync();
        server.Faults.Answer("/mcp", 200, "<html><b>Log in here</b></html>", "text/html");
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        var before = mcpsm.Files();
        (await mcpsm.LoginAsync()).Failed(1, $"{server.McpUrl} is not an MCP endpoint: it returned a web page (200).", "mcpsm list");
        var output = await TestFailsAsync(mcpsm);
        Assert.StartsWith("Testing my-api... ✘ Failed (", output);
        Assert.DoesNotContain("Log in here", output);
        Assert.Equal(before, mcpsm.Files());
    }

    [Fact]
    public async Task Server_that_never_answers_times_out()
    {
        await using var server = await TestMcpServer.StartAsync();
        server.Faults.Hang("/mcp");
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        var before = mcpsm.Files();
        (await mcpsm.LoginAsync("my-api", "--timeout", "1")).Failed(1, "The server and its issuer did not answer within 1 second");
        var ended = await mcpsm.RunAsync("test my-api --timeout 1");
        Assert.Equal(1, ended.Code);
        Assert.Equal("Testing my-api... ✘ Failed (The server did not answer within 1 seconds)\n", ended.Out);
        Assert.Equal(before, mcpsm.Files());
    }

    [Fact]
    public async Task Server_without_authentication_needs_no_sign_in()
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true, MetadataAtPath = false });
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        Assert.Equal("○ 'my-api' does not need authentication.\n", (await mcpsm.LoginAsync()).Done().Out);
        Assert.Contains("○ No authentication needed", (await mcpsm.RunAsync("auth status my-api")).Done().Out);
        Assert.Contains("✔ OK (test-server 1.2.3, protocol 2025-11-25, 2 tools,", (await mcpsm.RunAsync("test my-api")).Done().Out);
    }

    [Fact]
    public async Task Challenge_without_metadata_suggests_a_bearer_token()
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { MetadataAtPath = false });
        server.Challenge = _ => "Bearer";
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Failed(1, "does not say how to get one", "mcpsm auth set my-api");
    }

    [Theory]
    [InlineData(403, "403 Forbidden, and does not say how to sign in", "mcpsm auth set my-api")]
    [InlineData(429, "429 Too Many Requests", "Try again later")]
    public async Task Server_that_refuses_every_request_counts_as_not_authenticated(int status, string words, string remedy)
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { MetadataAtPath = false });
        server.Faults.Answer("/mcp", status);
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Failed(1, words, remedy);
        Assert.Equal("NotAuthenticated", (string?)(await mcpsm.StatusAsync())["state"]);
    }

    [Fact]
    public async Task Redirected_server_is_only_followed_by_an_update_of_its_URL()
    {
        await using var server = await TestMcpServer.StartAsync();
        server.Faults.Intercept("/mcp", context =>
        {
            context.Response.StatusCode = 308;
            context.Response.Headers.Location = "https://new.example/mcp?x=1";
            return Task.CompletedTask;
        });
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Failed(1, "redirects to https://new.example/mcp.", "mcpsm server update my-api --url <url>");
        Assert.Contains("mcpsm server update my-api --url <url>", (await mcpsm.RunAsync("test my-api")).Error);
    }

    [Fact]
    public async Task Cancelled_test_of_a_hanging_server_exits_with_130()
    {
        await using var server = await TestMcpServer.StartAsync();
        server.Faults.Hang("/mcp");
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        var ended = await mcpsm.RunUntilAsync(["test", "my-api"], null, patience.Token);
        Assert.Equal((130, "Cancelled.\n"), (ended.Code, ended.Error));
    }

    [Fact]
    public async Task Server_that_refuses_the_new_token_saves_no_sign_in()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { Issuers = [issuer.Issuer] });
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        (await mcpsm.LoginAsync()).Failed(1, "The server refused the token that its issuer had just issued (401 Unauthorized)", "not stored");
        Assert.Equal("NotAuthenticated", (string?)(await mcpsm.StatusAsync())["state"]);
        (await mcpsm.RunAsync("auth token my-api")).Failed(4, "mcpsm auth login my-api");
    }

    [Theory]
    [InlineData(401, "401 Unauthorized", "mcpsm auth login my-api")]
    [InlineData(403, "403 Forbidden", "mcpsm auth login my-api")]
    [InlineData(404, "404 Not Found", "mcpsm list")]
    [InlineData(500, "500 Internal Server Error", "Try again later")]
    public async Task Test_of_a_failing_server_prints_its_status_code(int status, string words, string remedy)
    {
        await using var server = await TestMcpServer.StartAsync();
        server.Faults.Answer("/mcp", status, "a stack trace of theirs", "text/plain");
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(server.McpUrl);
        var ended = await mcpsm.RunAsync("test my-api");
        Assert.Equal(1, ended.Code);
        Assert.Equal($"Testing my-api... ✘ Failed ({words})\n", ended.Out);
        Assert.Contains(remedy, ended.Error);
        Assert.DoesNotContain("stack trace", ended.Error);
    }

    [Fact]
    public async Task Test_of_all_servers_continues_after_a_failure_and_exits_with_1()
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true });
        using var mcpsm = new InProcessCli();
        await mcpsm.AddAsync(Nowhere, "first");
        await mcpsm.AddAsync(server.McpUrl, "second");
        var ended = await mcpsm.RunAsync("test");
        Assert.Equal(1, ended.Code);
        Assert.Contains("Testing first... ✘ Failed (", ended.Out);
        Assert.Contains("Testing second... ✔ OK (", ended.Out);
        var json = System.Text.Json.Nodes.JsonNode.Parse((await mcpsm.RunAsync("test --json")).Out)!.AsArray();
        Assert.Equal([false, true], json.Select(r => (bool)r!["success"]!));
        Assert.Contains("the connection was refused or timed out", (string?)json[0]!["error"]);
        Assert.Equal(2, (int)json[1]!["toolCount"]!);
    }

    private static async Task<string> TestFailsAsync(InProcessCli mcpsm)
    {
        var ended = await mcpsm.RunAsync("test my-api");
        Assert.Equal(1, ended.Code);
        return ended.Out;
    }
}

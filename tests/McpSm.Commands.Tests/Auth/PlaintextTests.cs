using System.Text.Json.Nodes;
using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>Tests of a bearer token that the npm tool wrote into <c>config.json</c>.</summary>
public sealed class PlaintextTests : IAsyncLifetime
{
    private const string Token = "plaintext-token";

    private readonly InProcessCli _mcpsm = new();
    private TestMcpServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await TestMcpServer.StartAsync(new TestMcpServerOptions { AcceptedTokens = [Token, "new-token"] });
        _mcpsm.Write("config.json", Config(_server.McpUrl, Token).ToJsonString());
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _mcpsm.Dispose();
    }

    [Fact]
    public async Task Plaintext_token_is_used_with_a_warning_that_suggests_import()
    {
        var before = _mcpsm.Files();
        var ended = (await _mcpsm.RunAsync("auth token my-api")).Done();
        Assert.Equal(Token + "\n", ended.Out);
        Assert.Equal("Warning: config.json contains a secret of 'my-api' in plaintext. Move it into the vault with: mcpsm import my-api\n", ended.Error);
        ended = (await _mcpsm.RunAsync("test my-api")).Done();
        Assert.Contains("✔ OK (test-server", ended.Out);
        Assert.Contains("in plaintext", ended.Error);
        Assert.All(_server.Traffic.Requests, r => Assert.Equal("kept", r.Header("X-Team")));
        Assert.Equal(before, _mcpsm.Files());
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("a\r\nX-Evil: b")]
    [InlineData("tokén")]
    public async Task Plaintext_token_that_no_header_can_carry_is_an_error(string token)
    {
        _mcpsm.Write("config.json", Config(_server.McpUrl, token).ToJsonString());
        foreach (var line in new[] { "auth token my-api", "test my-api" })
        {
            var ended = await _mcpsm.RunAsync(line);
            Assert.NotEqual(0, ended.Code);
            Assert.Contains("The bearer token of 'my-api' in config.json cannot be sent", ended.Out + ended.Error);
            Assert.Contains("mcpsm auth set my-api", ended.Error);
            Assert.DoesNotContain("unexpected failure", ended.Error);
        }
        Assert.Empty(_server.Traffic.Requests);
    }

    [Theory]
    [InlineData("a\r\nX-Evil: b")]
    [InlineData("é")]
    public async Task Header_that_cannot_be_sent_is_named(string value)
    {
        var config = Config(_server.McpUrl, Token);
        config["remoteServers"]![0]!["headers"] = new JsonObject { ["X-Team"] = value };
        _mcpsm.Write("config.json", config.ToJsonString());
        foreach (var line in new[] { "test my-api", "auth login my-api --no-browser" })
        {
            var ended = await _mcpsm.RunAsync(line);
            Assert.NotEqual(0, ended.Code);
            Assert.Equal(line.StartsWith("test"), ended.Out.StartsWith("Testing my-api... ✘"));
            Assert.Contains("The header 'X-Team' of 'my-api' cannot be sent: its value in config.json", ended.Out + ended.Error);
            Assert.Contains("mcpsm server update my-api --header X-Team=<value>", ended.Error);
        }
        Assert.DoesNotContain(_server.Traffic.Requests, r => r.Header("X-Evil") is not null);
    }

    [Fact]
    public async Task Status_of_a_plaintext_token_suggests_import()
    {
        var ended = (await _mcpsm.RunAsync("auth status my-api")).Done();
        Assert.Contains("  my-api          ✔ Bearer token set\n", ended.Out);
        Assert.Equal("'my-api' has a secret in plaintext in config.json.\n\nNext:\n  mcpsm import my-api\n", ended.Error);
        var status = await _mcpsm.StatusAsync();
        Assert.Equal("BearerToken", (string?)status["state"]);
        Assert.Null(status["vault"]);
        Assert.Equal("mcpsm import my-api", (string?)status["remedy"]);
        Assert.DoesNotContain(Token, status.ToJsonString());
    }

    [Theory]
    [InlineData("auth set my-api new-token")]
    [InlineData("auth revoke my-api")]
    public async Task Set_and_revoke_remove_the_plaintext_token_only(string line)
    {
        (await _mcpsm.RunAsync(line)).Done();
        var expected = Config(_server.McpUrl, null);
        Assert.Equal(expected.ToJsonString(), JsonNode.Parse(File.ReadAllText(_mcpsm.PathOf("config.json")))!.ToJsonString());
        var ended = await _mcpsm.RunAsync("auth token my-api");
        Assert.DoesNotContain("plaintext", ended.Error);
        Assert.Equal(line.Contains("set") ? "new-token\n" : "", ended.Out);
        Assert.Equal(line.Contains("set") ? 0 : 4, ended.Code);
    }

    [Fact]
    public async Task Logout_keeps_the_plaintext_token_and_suggests_revoke()
    {
        var before = _mcpsm.Files();
        Assert.Contains("mcpsm auth revoke my-api", (await _mcpsm.RunAsync("auth logout my-api")).Done().Error);
        Assert.Equal(before, _mcpsm.Files());
    }

    [Fact]
    public async Task Refresh_of_a_plaintext_token_is_an_error()
    {
        (await _mcpsm.RunAsync("auth refresh my-api")).Failed(4, "'my-api' has a bearer token, and Mcpsm cannot renew bearer tokens.", "mcpsm auth set my-api");
    }

    [Fact]
    public async Task Login_all_skips_a_plaintext_token()
    {
        Assert.Equal("my-api: ✔ Bearer token set\n", (await _mcpsm.RunAsync("auth login-all --no-browser")).Done().Out);
        Assert.Empty(_server.Traffic.Requests);
    }

    [Theory]
    [InlineData("server update my-api --name renamed")]
    [InlineData("add other --type http --url https://b.example/mcp")]
    public async Task Other_changes_keep_every_member_of_the_file(string line)
    {
        (await _mcpsm.RunAsync(line)).Done();
        var expected = Config(_server.McpUrl, Token);
        if (line.StartsWith("server"))
        {
            expected["remoteServers"]![0]!["name"] = "renamed";
        }
        else
        {
            expected["remoteServers"]!.AsArray().Add(new JsonObject
            {
                ["id"] = "other",
                ["name"] = "other",
                ["type"] = "http",
                ["url"] = "https://b.example/mcp",
            });
        }
        Assert.Equal(expected.ToJsonString(), JsonNode.Parse(File.ReadAllText(_mcpsm.PathOf("config.json")))!.ToJsonString());
    }

    /// <summary>Returns a file in the format of mcp-server-manager 2.6.1, with members that Mcpsm does not know.</summary>
    private static JsonObject Config(Uri url, string? token)
    {
        var entry = new JsonObject
        {
            ["id"] = "my-api",
            ["name"] = "my-api",
            ["type"] = "http",
            ["url"] = url.AbsoluteUri,
            ["headers"] = new JsonObject { ["X-Team"] = "kept" },
            ["bearerToken"] = token,
            ["enabled"] = true,
            ["tags"] = new JsonArray("a", "ü <b>", 1.50m, null),
        };
        if (token is null)
        {
            entry.Remove("bearerToken");
        }
        return new JsonObject
        {
            ["servers"] = new JsonArray(new JsonObject { ["id"] = "local", ["command"] = "node", ["args"] = new JsonArray("x.js") }),
            ["remoteServers"] = new JsonArray(entry),
            ["port"] = 8851,
            ["theirs"] = new JsonObject { ["deep"] = new JsonArray(1, new JsonObject()) },
        };
    }
}

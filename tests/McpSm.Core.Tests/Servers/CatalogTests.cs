using System.Reflection;
using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Support;
using Xunit;

namespace McpSm.Core.Tests.Servers;

public sealed class CatalogTests
{
    [Fact]
    public async Task Foreign_content_of_config_json_is_kept_and_ids_are_unique()
    {
        using var work = new TestEnvironment();
        var path = Path.Combine(work.Folder, "config.json");
        File.WriteAllText(path, """
            {"servers":[{"id":"my-api","command":"x"}],
            "remoteServers":[{"id":"old","name":"old","type":"sse","url":"https://o.example/","mark":"é"}],
            "port":1,"more":{"a":[1]}}
            """);
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        Assert.Equal("my-api-1", server.Id);
        var root = JsonNode.Parse(File.ReadAllText(path))!;
        Assert.Equal("é", (string?)root["remoteServers"]![0]!["mark"]);
        Assert.Equal("""{"a":[1]}""", root["more"]!.ToJsonString());
        Assert.Equal(1, (int?)root["port"]);
    }

    [Fact]
    public async Task Name_of_one_server_is_never_the_id_of_another()
    {
        using var work = new TestEnvironment();
        var first = await work.AddAsync(new Uri("https://a.example/mcp"), s => new(s) { Name = "my api" });
        Assert.Equal("my-api", first.Id);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.AddAsync(new Uri("https://b.example/mcp"), s => new(s) { Name = "my-api" }));
        Assert.Equal((ErrorReason.ServerAlreadyExists, "'my-api' is already the id of the server 'my api', at https://a.example/mcp."), (e.Reason, e.Message));
        // The next free id is already a name.
        var second = await work.AddAsync(new Uri("https://b.example/mcp"), s => new(s) { Name = "other-1" });
        await work.Authenticator.Servers.UpdateAsync(second, new ServerUpdate { Name = "My-API-1" }, Cancellation);
        Assert.Equal("my-api-2", (await work.AddAsync(new Uri("https://c.example/mcp"), s => new(s) { Name = "my api!" })).Id);
        // A server can have its own id as its name.
        await work.Authenticator.Servers.UpdateAsync(first, new ServerUpdate { Name = "my-api" }, Cancellation);
        await work.Authenticator.Servers.UpdateAsync(second, new ServerUpdate { Name = "Other" }, Cancellation);
        e = await Assert.ThrowsAsync<McpAuthException>(() =>
            work.Authenticator.Servers.UpdateAsync(first, new ServerUpdate { Name = "other-1" }, Cancellation));
        Assert.Equal(ErrorReason.ServerAlreadyExists, e.Reason);
    }

    [Fact]
    public void Copy_of_a_server_has_every_value()
    {
        var server = new McpServer
        {
            Id = "id",
            Name = "name",
            Transport = McpTransport.Sse,
            Url = "https://a.example/mcp",
            OAuth = OAuthMode.On,
            ClientId = "client",
            ClientMetadataUrl = "https://c.example/client.json",
            Scopes = ["mcp:tools"],
            Issuer = "https://i.example",
            AllowLegacyEndpoints = true,
            DPoP = DPoPMode.Always,
            AuthorizeParams = new Dictionary<string, string> { ["audience"] = "api" },
            Resource = "none",
            Relay = new RelaySettings
            {
                SignIn = true,
                Fallback = true,
                AllowTools = ["get_*"],
                IgnoreTools = ["delete_*"],
                RequestTimeout = 60,
                InitializeTimeout = 10,
            },
            HeaderNames = ["X-Key"],
            HasClientSecret = true,
            Plaintext = PlaintextSecrets.None with { BearerToken = "token" },
        };
        var (copy, empty) = (new McpServer(server), new McpServer());
        foreach (var property in typeof(McpServer).GetProperties(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).Where(p => p.CanWrite))
        {
            Assert.NotEqual(property.GetValue(empty), property.GetValue(server));
            Assert.Equal(property.GetValue(server), property.GetValue(copy));
        }
    }

    [Fact]
    public async Task Server_added_by_sign_in_gets_a_unique_name()
    {
        using var work = new TestEnvironment();
        var (first, _) = await work.Authenticator.Servers.FindOrAddAsync("https://a.example/mcp", Cancellation);
        await work.Authenticator.Servers.UpdateAsync(first, new ServerUpdate { Name = "Renamed" }, Cancellation);
        var (second, isNew) = await work.Authenticator.Servers.FindOrAddAsync("https://a.example/other", Cancellation);
        Assert.Equal(("a-example", "a-example-1", "a-example-1", true), (first.Id, second.Id, second.Name, isNew));
    }

    [Fact]
    public async Task Config_file_that_does_not_parse_is_reported_with_position_and_kept()
    {
        using var work = new TestEnvironment();
        var path = Path.Combine(work.Folder, "config.json");
        File.WriteAllText(path, "{\n  \"servers\": [,]\n}");
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.AddAsync(new Uri("https://a.example/mcp")));
        Assert.Equal(ErrorReason.ConfigurationCorrupt, e.Reason);
        Assert.Contains("line 2, column 15", e.Message);
        Assert.Equal("{\n  \"servers\": [,]\n}", File.ReadAllText(path));
    }

    [Theory]
    [InlineData("login")]
    [InlineData("")]
    [InlineData("---")]
    [InlineData("-日本")]
    [InlineData("🎉")]
    [InlineData("\u3164")]
    [InlineData("日\u202e本")]
    [InlineData("日\u3000本")]
    [InlineData("a\u001b[31m")]
    public void Invalid_server_name_is_refused(string name) =>
        Assert.Equal(ErrorReason.InvalidServerName, Assert.Throws<McpAuthException>(() => ServerName.ToSlug(name)).Reason);
}

using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Servers;
using Xunit;

namespace McpSm.Core.Tests;

public sealed class CatalogTests
{
    [Fact]
    public async Task What_others_wrote_survives_and_ids_are_unique_among_all_servers()
    {
        using var work = new Workplace();
        var path = Path.Combine(work.Folder, "config.json");
        File.WriteAllText(path, """{"servers":[{"id":"my-api","command":"x"}],"remoteServers":[{"id":"old","name":"old","type":"sse","url":"https://o.example/","mark":"é"}],"port":1,"more":{"a":[1]}}""");
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        Assert.Equal("my-api-1", server.Id);
        var root = JsonNode.Parse(File.ReadAllText(path))!;
        Assert.Equal("é", (string?)root["remoteServers"]![0]!["mark"]);
        Assert.Equal("""{"a":[1]}""", root["more"]!.ToJsonString());
        Assert.Equal(1, (int?)root["port"]);
    }

    [Fact]
    public async Task A_file_that_does_not_parse_is_named_with_its_place_and_left_alone()
    {
        using var work = new Workplace();
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
    [InlineData("日本")]
    [InlineData("a\u001b[31m")]
    public void Some_names_are_none(string name) =>
        Assert.Equal(ErrorReason.InvalidServerName, Assert.Throws<McpAuthException>(() => ServerName.ToSlug(name)).Reason);
}

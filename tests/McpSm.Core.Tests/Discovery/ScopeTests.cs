using System.Text.Json.Nodes;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Discovery;

public sealed class ScopeTests
{
    private static readonly AuthorizationServerOptions Offline = new() { ScopesSupported = ["mcp:tools", "mcp:other", "offline_access"] };

    private static async Task<string?> AskedAsync(SignInFixture scene)
    {
        await scene.LoginAsync();
        return Assert.Single(scene.Issuer.Traffic.To("/authorize")).QueryValue("scope");
    }

    [Rule(8, 9)]
    [Fact]
    public async Task Scope_of_the_challenge_wins_over_the_scopes_of_the_resource()
    {
        await using var scene = await SignInFixture.StartAsync(new() { ScopesSupported = ["mcp:tools", "mcp:other"] });
        scene.Resource.Faults.RewriteJson("/.well-known", json => json["scopes_supported"] = new JsonArray("mcp:other"));
        Assert.Equal("mcp:tools", await AskedAsync(scene));
    }

    [Rule(8)]
    [Fact]
    public async Task Challenge_without_scope_asks_for_all_scopes_of_the_resource()
    {
        await using var scene = await SignInFixture.StartAsync(new() { ScopesSupported = ["mcp:tools", "mcp:other"] });
        scene.Resource.Challenge = _ => $"Bearer resource_metadata=\"{scene.Resource.ResourceMetadataUrl}\"";
        scene.Resource.Faults.RewriteJson("/.well-known", json => json["scopes_supported"] = new JsonArray("mcp:other", "mcp:tools"));
        Assert.Equal("mcp:other mcp:tools", await AskedAsync(scene));
    }

    [Rule(8, 10)]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Scope_that_is_not_named_anywhere_is_not_sent(bool emptyList)
    {
        await using var scene = await SignInFixture.StartAsync(Offline, new() { Scope = "" });
        scene.Resource.Faults.RewriteJson("/.well-known", json => json["scopes_supported"] = emptyList ? new JsonArray() : null);
        Assert.Null(await AskedAsync(scene));
    }

    [Rule(8)]
    [Fact]
    public async Task Scopes_of_the_user_win_over_the_challenge()
    {
        await using var scene = await SignInFixture.StartAsync(Offline, server: s => new(s) { Scopes = ["mcp:other"] });
        Assert.Equal("mcp:other", await AskedAsync(scene));
    }

    [Rule(10)]
    [Fact]
    public async Task Offline_access_with_consent_is_asked_for_if_the_issuer_lists_it()
    {
        await using var scene = await SignInFixture.StartAsync(Offline);
        Assert.Equal("mcp:tools offline_access", await AskedAsync(scene));
        Assert.Equal("consent", Assert.Single(scene.Issuer.Traffic.To("/authorize")).QueryValue("prompt"));
    }

    [Rule(10)]
    [Theory]
    [InlineData("mcp:tools")]
    [InlineData("mcp:tools offline_access")]
    public async Task Offline_access_is_not_asked_for_if_the_issuer_does_not_list_it(string challenged)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.Challenge = _ => $"Bearer resource_metadata=\"{scene.Resource.ResourceMetadataUrl}\", scope=\"{challenged}\"";
        Assert.Equal("mcp:tools", await AskedAsync(scene));
        Assert.Null(Assert.Single(scene.Issuer.Traffic.To("/authorize")).QueryValue("prompt"));
    }
}

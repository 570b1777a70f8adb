using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests;

public sealed class DiscoveryTests
{
    [Fact]
    public async Task Rule_3_A_challenge_that_names_its_metadata_is_final()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        resource.Challenge = _ => $"Bearer resource_metadata=\"{new Uri(resource.McpUrl, "/nowhere")}\"";
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server));
        Assert.Equal(ErrorReason.MetadataInvalid, e.Reason);
        Assert.Empty(resource.Traffic.Below("/.well-known"));
    }

    [Fact]
    public async Task Rule_3_Without_a_name_the_path_form_comes_before_the_root_form()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer, new TestMcpServerOptions { MetadataAtPath = false, MetadataAtRoot = true });
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        resource.Challenge = _ => "Bearer";
        await work.LoginAsync(server);
        Assert.Equal(["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"],
            resource.Traffic.Below("/.well-known").Select(r => r.Path));
    }

    [Fact]
    public async Task Rules_1_4_An_issuer_with_a_path_is_looked_for_in_the_order_of_the_specification()
    {
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { IssuerPath = "/tenant1", ServeOAuthMetadata = false });
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        issuer.Faults.Answer("/.well-known/openid-configuration", 404);
        await work.LoginAsync(server);
        Assert.Equal(["/.well-known/oauth-authorization-server/tenant1", "/.well-known/openid-configuration/tenant1", "/tenant1/.well-known/openid-configuration"],
            issuer.Traffic.Requests.Select(r => r.Path).Where(p => p.Contains(".well-known")));
    }

    [Fact]
    public async Task Rules_8_9_The_challenges_scope_wins_over_what_the_resource_supports()
    {
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { ScopesSupported = ["mcp:tools", "mcp:other"] });
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        resource.Faults.RewriteJson("/.well-known", json => json["scopes_supported"] = new JsonArray("mcp:other"));
        await work.LoginAsync(server);
        Assert.Equal("mcp:tools", Assert.Single(issuer.Traffic.To("/authorize")).QueryValue("scope"));
    }

    [Fact]
    public async Task Rules_11_12_A_metadata_document_is_the_client_id_where_the_issuer_takes_it()
    {
        const string document = "https://client.example/mcpsm.json";
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { SupportsClientIdMetadataDocuments = true });
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl, s => s with { ClientMetadataUrl = document });
        await work.LoginAsync(server);
        Assert.Empty(issuer.Traffic.To("/register"));
        Assert.Equal(document, Assert.Single(issuer.Traffic.To("/authorize")).QueryValue("client_id"));
    }

    [Fact]
    public async Task Rule_27_An_endpoint_in_plain_http_outside_this_machine_is_refused()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        issuer.Faults.RewriteJson("/.well-known", json => json["token_endpoint"] = "http://issuer.example/token");
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server))).Reason);
    }

    [Fact]
    public async Task Rule_30_A_redirect_of_the_token_endpoint_is_not_followed()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        await using var other = await TestMcpServer.StartAsync();
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        issuer.Faults.Intercept("/token", context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = other.McpUrl.AbsoluteUri;
            return Task.CompletedTask;
        });
        Assert.Equal(ErrorReason.ProtocolViolation, (await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server))).Reason);
        Assert.Empty(other.Traffic.Requests);
    }

    [Fact]
    public async Task Rule_39_Default_endpoints_are_used_only_where_the_user_allowed_it()
    {
        await using var resource = await TestMcpServer.StartAsync(new TestMcpServerOptions { MetadataAtPath = false });
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        resource.Challenge = _ => "Bearer";
        Assert.Equal(ErrorReason.MetadataInvalid, (await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server))).Reason);
        Assert.Empty(resource.Traffic.To("/register"));
        server = await work.Authenticator.Catalog.UpdateAsync(server.Id, s => s with { AllowLegacyEndpoints = true }, default);
        await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server));
        Assert.Single(resource.Traffic.To("/register"));
    }
}

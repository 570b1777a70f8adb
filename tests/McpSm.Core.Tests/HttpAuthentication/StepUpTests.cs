using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.HttpAuthentication;

/// <summary>403 responses that ask for more scopes (RFC 6750 section 3.1).</summary>
public sealed class StepUpTests
{
    private static readonly AuthorizationServerOptions Issuing =
        new() { ScopesSupported = ["mcp:tools", "mcp:write", "mcp:other", "a", "b", "c", "d", "e"] };

    private static IEnumerable<string?> Asked(SignInFixture scene) => scene.Issuer.Traffic.To("/authorize", "GET").Select(r => r.QueryValue("scope"));

    private static async Task<McpAuthException> InsufficientAsync(SignInFixture scene, HttpClient http)
    {
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.PingAsync(http));
        Assert.Equal((ErrorReason.InsufficientScope, "my-api"), (e.Reason, e.Server));
        return e;
    }

    [Rule(24)]
    [Fact]
    public async Task Step_up_requests_the_granted_and_the_challenged_scopes()
    {
        await using var scene = await SignInFixture.SignedInAsync(Issuing);
        using var http = scene.Open(signIn: true);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        scene.Resource.Scope = "mcp:write";
        scene.Resource.Traffic.Clear();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal(["mcp:tools", "mcp:tools mcp:write"], Asked(scene));
        Assert.Equal([403, 200], scene.Resource.Traffic.To("/mcp").Select(r => r.StatusCode));
        Assert.Single(scene.Resource.Traffic.To("/mcp").Select(r => r.Body).Distinct());
        scene.Resource.Scope = "mcp:tools";
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal(["mcp:tools", "mcp:write"], scene.Status.Scopes);
    }

    [FieldFault(18)]
    [Rule(24)]
    [Theory]
    [InlineData("\"mcp:tools,mcp:write\"")]
    [InlineData("\"mcp:tools, mcp:write\"")]
    [InlineData("[\"mcp:tools\",\"mcp:write\"]")]
    public async Task Scope_response_in_an_unusual_form_counts_as_granted(string scope)
    {
        await using var scene = await SignInFixture.StartAsync(Issuing);
        scene.Resource.Scope = "mcp:tools mcp:write";
        scene.Issuer.Faults.RewriteJson("/token", json => json["scope"] = JsonNode.Parse(scope));
        await scene.LoginAsync();
        Assert.Equal(["mcp:tools", "mcp:write"], scene.Status.Scopes);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal(["mcp:tools", "mcp:write"], scene.Status.Scopes);

        scene.Issuer.Faults.Clear();
        using var http = scene.Open(signIn: true);
        scene.Resource.Scope = "mcp:write mcp:other";
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal("mcp:tools mcp:write mcp:other", Asked(scene).Last());
    }

    [FieldFault(18)]
    [Rule(24)]
    [Fact]
    public async Task Comma_in_a_requested_scope_does_not_split_it()
    {
        await using var scene = await SignInFixture.SignedInAsync(new() { ScopesSupported = ["a,b", "a"] }, new() { Scope = "a,b a" });
        Assert.Equal(["a,b", "a"], scene.Status.Scopes);
    }

    [FieldFault(21)]
    [Rule(24)]
    [Fact]
    public async Task Challenge_after_one_of_a_gateway_is_found()
    {
        await using var scene = await SignInFixture.SignedInAsync(Issuing);
        using var http = scene.Open(signIn: true);
        scene.Resource.Challenge = own => $"Bearer realm=\"gateway\", {own}";
        scene.Resource.Scope = "mcp:write";
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal("mcp:tools mcp:write", Asked(scene).Last());
    }

    [Rule(24)]
    [Fact]
    public async Task Concurrent_requests_step_up_once()
    {
        await using var scene = await SignInFixture.SignedInAsync(Issuing);
        using var http = scene.Open(signIn: true);
        scene.Resource.Scope = "mcp:tools mcp:write";
        var answers = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Run(() => scene.PingAsync(http))));
        Assert.All(answers, status => Assert.Equal(200, status));
        Assert.Equal(2, scene.Person.Visited.Count);
    }

    [Rule(24)]
    [Fact]
    public async Task Server_that_always_asks_for_more_gets_three_step_ups()
    {
        await using var scene = await SignInFixture.SignedInAsync(Issuing);
        var more = new Queue<string>(["a", "b", "c", "d", "e"]);
        scene.Resource.Faults.Intercept("/mcp", context =>
        {
            context.Response.StatusCode = 403;
            context.Response.Headers.WWWAuthenticate =
                $"Bearer error=\"insufficient_scope\", scope=\"{more.Dequeue()}\", resource_metadata=\"{scene.Resource.ResourceMetadataUrl}\"";
            return Task.CompletedTask;
        });
        using var http = scene.Open(signIn: true);
        await InsufficientAsync(scene, http);
        Assert.Equal(["mcp:tools", "mcp:tools a", "mcp:tools a b", "mcp:tools a b c"], Asked(scene));
        await InsufficientAsync(scene, http);
        Assert.Equal(4, scene.Person.Visited.Count);
    }

    [Rule(24)]
    [Fact]
    public async Task Successful_step_ups_are_not_limited()
    {
        await using var scene = await SignInFixture.SignedInAsync(Issuing);
        using var http = scene.Open(signIn: true);
        foreach (var scope in new[] { "a", "b", "c", "d", "e" })
        {
            scene.Resource.Scope = scope;
            Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        }
        Assert.Equal("mcp:tools a b c d e", Asked(scene).Last());
    }

    [Rule(24)]
    [Theory]
    [InlineData(", scope=\"mcp:tools\"", "but the token has it")]
    [InlineData("", "but names none")]
    public async Task Challenge_without_new_scopes_does_not_ask_the_user(string scope, string text)
    {
        await using var scene = await SignInFixture.SignedInAsync(Issuing);
        scene.Resource.Faults.Intercept("/mcp", context =>
        {
            context.Response.StatusCode = 403;
            context.Response.Headers.WWWAuthenticate = "Bearer error=\"insufficient_scope\"" + scope;
            return Task.CompletedTask;
        });
        using var http = scene.Open(signIn: true);
        Assert.Contains(text, (await InsufficientAsync(scene, http)).Message);
        Assert.Single(scene.Person.Visited);
    }

    [Rule(24)]
    [Fact]
    public async Task Denied_scope_is_not_requested_again_and_the_token_stays()
    {
        await using var scene = await SignInFixture.SignedInAsync(Issuing);
        using var http = scene.Open(signIn: true);
        scene.Resource.Scope = "mcp:write";
        scene.Deny();
        var denied = await Assert.ThrowsAsync<McpAuthException>(() => scene.PingAsync(http, Cancellation));
        Assert.Equal(ErrorReason.AuthorizationDenied, denied.Reason);
        Assert.Contains("the issuer did not grant it", (await InsufficientAsync(scene, http)).Message);
        Assert.Equal(2, scene.Person.Visited.Count);

        scene.Resource.Scope = "mcp:tools";
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        scene.Issuer.Faults.Clear();
        scene.Resource.Scope = "mcp:other";
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal("mcp:tools mcp:other", Asked(scene).Last());
    }

    [Rule(24)]
    [Fact]
    public async Task Scope_that_the_issuer_withheld_is_not_requested_again()
    {
        await using var scene = await SignInFixture.SignedInAsync(Issuing);
        using var http = scene.Open(signIn: true);
        scene.Resource.Scope = "mcp:write";
        scene.Issuer.Faults.RewriteJson("/token", json => json["scope"] = "mcp:tools");
        scene.Resource.Introspect = token => scene.Issuer.Server.Introspect(token) is { } known
            ? known with { Scopes = [.. known.Scopes.Where(s => s != "mcp:write")] } : null;
        await InsufficientAsync(scene, http);
        Assert.Equal(2, scene.Person.Visited.Count);
        await InsufficientAsync(scene, http);
        using var other = scene.Open(signIn: true, scene.Work.New());
        Assert.Contains("the issuer did not grant it", (await InsufficientAsync(scene, other)).Message);
        Assert.Equal(2, scene.Person.Visited.Count);
        Assert.Equal(["mcp:tools"], scene.Status.Scopes);
    }

    [Rule(8, 24)]
    [Fact]
    public async Task Scopes_chosen_by_the_user_are_not_extended()
    {
        await using var scene = await SignInFixture.SignedInAsync(Issuing, server: s => new(s) { Scopes = ["mcp:tools"] });
        using var http = scene.Open(signIn: true);
        scene.Resource.Scope = "mcp:write";
        Assert.Equal("mcpsm server update my-api --scope <scope>...", (await InsufficientAsync(scene, http)).Remedy.InShell());
        Assert.Single(scene.Person.Visited);
    }

    [Rule(24)]
    [Fact]
    public async Task Forbidden_response_without_sign_in_is_returned_to_the_caller()
    {
        await using var scene = await SignInFixture.SignedInAsync(Issuing);
        using var http = scene.Open();
        scene.Resource.Scope = "mcp:write";
        Assert.Equal(403, await scene.PingAsync(http, Cancellation));
        var result = await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(10), Cancellation);
        Assert.Equal((ErrorReason.InsufficientScope, "mcpsm auth login my-api"), (result.Reason, result.Remedy));
        Assert.Single(scene.Person.Visited);
    }

    [Rule(10, 24)]
    [Fact]
    public async Task Step_up_keeps_offline_access_if_the_issuer_lists_it()
    {
        await using var scene = await SignInFixture.StartAsync(Issuing with { ScopesSupported = ["mcp:tools", "mcp:write", "offline_access"] });
        scene.Issuer.Faults.RewriteJson("/token", json => json["scope"] = "mcp:tools", times: 1);
        await scene.LoginAsync();
        using var http = scene.Open(signIn: true);
        scene.Resource.Scope = "mcp:write";
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal(["mcp:tools offline_access", "mcp:tools mcp:write offline_access"], Asked(scene));
    }
}

using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Discovery;

public sealed class DiscoveryTests
{
    private static IEnumerable<string> WellKnown(TrafficLog traffic) =>
        traffic.Requests.Select(r => r.Path).Where(p => p.Contains(".well-known"));

    [Rule(2)]
    [Fact]
    public async Task Challenge_with_metadata_URL_leads_to_the_metadata()
    {
        await using var scene = await SignInFixture.StartAsync(resource: new() { MetadataAtPath = false });
        scene.Resource.Challenge = _ => $"Bearer resource_metadata=\"{new Uri(scene.Resource.McpUrl, "/elsewhere?x=1")}\"";
        scene.Resource.Faults.Answer("/elsewhere", 200,
            $$"""{"resource":"{{scene.Resource.Resource}}","authorization_servers":["{{scene.Issuer.Issuer}}"],"scopes_supported":["mcp:tools"]}""");
        await scene.LoginAsync();
        Assert.Empty(WellKnown(scene.Resource.Traffic));
        Assert.Equal("?x=1", Assert.Single(scene.Resource.Traffic.To("/elsewhere")).QueryString);
    }

    [Rule(3)]
    [Fact]
    public async Task Challenge_with_metadata_URL_is_final()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.Challenge = _ => $"Bearer resource_metadata=\"{new Uri(scene.Resource.McpUrl, "/nowhere")}\"";
        Assert.Equal(ErrorReason.MetadataInvalid, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Resource.Traffic.Below("/.well-known"));
    }

    [Rule(3)]
    [Fact]
    public async Task Challenge_without_metadata_URL_tries_the_path_form_before_the_root_form()
    {
        await using var scene = await SignInFixture.StartAsync(resource: new() { MetadataAtPath = false, MetadataAtRoot = true });
        scene.Resource.Challenge = _ => "Bearer";
        await scene.LoginAsync();
        Assert.Equal(["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"], WellKnown(scene.Resource.Traffic));
    }

    [FieldFault(1, 2)]
    [Rule(2)]
    [Fact]
    public async Task Bearer_challenge_among_others_is_found_despite_commas_in_quotes()
    {
        await using var scene = await SignInFixture.StartAsync(new() { ScopesSupported = ["mcp:tools", "mcp:other"] });
        scene.Resource.Faults.RewriteJson("/.well-known", json => json["scopes_supported"] = new JsonArray("mcp:other"));
        scene.Resource.Challenge = own =>
            $"Negotiate abc==, Basic realm=\"a, b\", {own}, error_description=\"expired, scope=evil, log in\", Digest realm=\"x\"";
        await scene.LoginAsync();
        Assert.Equal("mcp:tools", Assert.Single(scene.Issuer.Traffic.To("/authorize")).QueryValue("scope"));
    }

    [FieldFault(20)]
    [Rule(2)]
    [Fact]
    public async Task Challenge_with_unquoted_metadata_URL_is_read()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.Challenge = _ => $"Bearer resource_metadata={scene.Resource.ResourceMetadataUrl}";
        await scene.LoginAsync();
        Assert.Equal(["/.well-known/oauth-protected-resource/mcp"], WellKnown(scene.Resource.Traffic));
    }

    [FieldFault(21)]
    [Rule(2, 8, 9)]
    [Fact]
    public async Task Bearer_challenges_in_one_response_are_combined()
    {
        await using var scene = await SignInFixture.StartAsync(new() { ScopesSupported = ["mcp:tools", "mcp:other"] });
        scene.Resource.Faults.RewriteJson("/.well-known", json => json["scopes_supported"] = new JsonArray("mcp:other"));
        scene.Resource.Challenge = own => $"Bearer error=\"invalid_token\", {own}";
        await scene.LoginAsync();
        Assert.Equal("mcp:tools", Assert.Single(scene.Issuer.Traffic.To("/authorize")).QueryValue("scope"));
    }

    [FieldFault(22)]
    [Rule(2)]
    [Fact]
    public async Task Refusal_without_challenge_signs_in_by_the_published_metadata()
    {
        await using var scene = await SignInFixture.StartAsync();
        (scene.Resource.ChallengeStatus, scene.Resource.Challenge) = (403, _ => null);
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
    }

    /// <summary>Redirects requests to plain http, as a server does that does not know about the TLS proxy in front of it.</summary>
    private static void RedirectToPlainHttp(Faults faults, string path) => faults.Intercept(path, context =>
    {
        context.Response.StatusCode = 307;
        context.Response.Headers.Location = "http://public.example/login";
        return Task.CompletedTask;
    });

    [FieldFault(23)]
    [Rule(3, 30)]
    [Fact]
    public async Task Resource_metadata_at_an_unsafe_redirect_is_skipped_for_the_next_place()
    {
        await using var scene = await SignInFixture.StartAsync(resource: new() { MetadataAtPath = false, MetadataAtRoot = true });
        scene.Resource.Challenge = _ => "Bearer";
        RedirectToPlainHttp(scene.Resource.Faults, "/.well-known/oauth-protected-resource/mcp");
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
        RedirectToPlainHttp(scene.Resource.Faults, "/.well-known/oauth-protected-resource");
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await scene.FailsAsync()).Reason);
    }

    [FieldFault(23)]
    [Rule(5, 30)]
    [Fact]
    public async Task Issuer_metadata_at_an_unsafe_redirect_is_skipped_for_the_next_place()
    {
        await using var scene = await SignInFixture.StartAsync();
        RedirectToPlainHttp(scene.Issuer.Faults, "/.well-known/oauth-authorization-server");
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
        RedirectToPlainHttp(scene.Issuer.Faults, "/.well-known/openid-configuration");
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await scene.FailsAsync()).Reason);
    }

    [FieldFault(23)]
    [Rule(30)]
    [Fact]
    public async Task Open_server_that_redirects_unknown_paths_needs_no_credential()
    {
        await using var scene = await SignInFixture.StartAsync(resource: new() { Open = true, MetadataAtPath = false });
        RedirectToPlainHttp(scene.Resource.Faults, "/.well-known");
        Assert.True((await scene.LoginAsync()).IsOpenServer);
    }

    [Theory]
    [InlineData(true, "mcpsm auth login my-api --device")]
    [InlineData(false, "Ask the operator of the issuer")]
    public async Task Issuer_without_authorization_endpoint_is_refused_before_registration(bool device, string remedy)
    {
        await using var scene = await SignInFixture.StartAsync(new() { SupportsDeviceCode = device });
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json.Remove("authorization_endpoint"));
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.MetadataInvalid, e.Reason);
        Assert.Contains("offers no sign-in with a browser", e.Message);
        Assert.StartsWith(remedy, e.Remedy.InShell());
        Assert.Empty(scene.Issuer.Traffic.To("/register"));
    }

    [Rule(1, 4)]
    [Fact]
    public async Task Issuer_with_path_is_discovered_in_the_order_of_the_specification()
    {
        await using var scene = await SignInFixture.StartAsync(new() { IssuerPath = "/tenant1", ServeOAuthMetadata = false });
        scene.Issuer.Faults.Answer("/.well-known/openid-configuration", 404);
        await scene.LoginAsync();
        Assert.Equal(
            [
                "/.well-known/oauth-authorization-server/tenant1",
                "/.well-known/openid-configuration/tenant1",
                "/tenant1/.well-known/openid-configuration",
            ],
            WellKnown(scene.Issuer.Traffic));
    }

    [Rule(1, 5)]
    [Fact]
    public async Task OpenID_metadata_of_an_issuer_without_path_is_tried_second()
    {
        await using var scene = await SignInFixture.StartAsync(new() { ServeOAuthMetadata = false });
        await scene.LoginAsync();
        Assert.Equal(["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"], WellKnown(scene.Issuer.Traffic));
    }

    [Rule(5)]
    [Fact]
    public async Task Metadata_found_at_the_first_place_ends_the_search()
    {
        await using var scene = await SignInFixture.StartAsync();
        await scene.LoginAsync();
        Assert.Equal(["/.well-known/oauth-authorization-server"], WellKnown(scene.Issuer.Traffic));
    }

    [FieldFault(24)]
    [Rule(6)]
    [Fact]
    public async Task Metadata_that_names_another_issuer_is_refused()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["issuer"] = scene.Issuer.Issuer + "/");
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.IssuerMismatch, e.Reason);
        Assert.EndsWith($"mcpsm server update my-api --issuer {scene.Issuer.Issuer}/", e.Remedy.InShell());
        Assert.Empty(scene.Issuer.Traffic.To("/register"));
        Assert.Empty(scene.Person.Visited);
    }

    [FieldFault(24)]
    [Rule(6)]
    [Fact]
    public async Task Issuer_that_differs_by_a_slash_can_be_pinned_and_signs_in()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.Issuers = [scene.Issuer.Issuer + "/"];
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.IssuerMismatch, e.Reason);
        Assert.Equal($"The two differ only in the trailing slash. If you trust the second: mcpsm server update my-api --issuer {scene.Issuer.Issuer}",
            e.Remedy.InShell());
        await scene.ChangeServerAsync(s => new(s) { Issuer = scene.Issuer.Issuer });
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
    }

    [Rule("7a")]
    [Fact]
    public async Task Metadata_of_another_resource_is_refused()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.Faults.RewriteJson("/.well-known", json => json["resource"] = scene.Resource.McpUrl.AbsoluteUri + "-other");
        Assert.Equal(ErrorReason.ResourceMismatch, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Person.Visited);
    }

    [Rule(25)]
    [Fact]
    public async Task Issuer_without_PKCE_is_refused_before_the_browser_opens()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json.Remove("code_challenge_methods_supported"));
        Assert.Equal(ErrorReason.PkceUnsupported, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Person.Visited);
    }

    [Rule(25)]
    [Fact]
    public async Task OpenID_issuer_with_only_plain_PKCE_is_refused()
    {
        await using var scene = await SignInFixture.StartAsync(new() { ServeOAuthMetadata = false });
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["code_challenge_methods_supported"] = new JsonArray("plain"));
        Assert.Equal(ErrorReason.PkceUnsupported, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Person.Visited);
    }

    [FieldFault(5)]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Web_page_in_place_of_metadata_is_reported(bool ofIssuer)
    {
        await using var scene = await SignInFixture.StartAsync();
        (ofIssuer ? scene.Issuer.Faults : scene.Resource.Faults)
            .Answer("/.well-known", 200, "<!doctype html><title>Welcome</title>", "text/html; charset=utf-8");
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.MetadataInvalid, e.Reason);
        Assert.Contains("an HTML page", e.Message);
        Assert.Empty(scene.Person.Visited);
    }

    [Rule(27, 30)]
    [Theory]
    [InlineData("issuer", "::")]
    [InlineData("authorization_endpoint", "not a url")]
    [InlineData("authorization_endpoint", "javascript:alert(1)")]
    [InlineData("authorization_endpoint", null)]
    [InlineData("token_endpoint", "")]
    [InlineData("token_endpoint", "/token")]
    [InlineData("token_endpoint", null)]
    [InlineData("registration_endpoint", "not a url")]
    [InlineData("registration_endpoint", "/register")]
    [InlineData("registration_endpoint", "file:///etc/passwd")]
    [InlineData("registration_endpoint", "https://[")]
    [InlineData("device_authorization_endpoint", "not a url")]
    [InlineData("device_authorization_endpoint", "ftp://127.0.0.1/x")]
    public async Task Endpoint_that_is_not_a_safe_URL_is_refused(string member, string? value)
    {
        await using var scene = await SignInFixture.StartAsync(new() { SupportsDeviceCode = true });
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json[member] = value);
        var e = await scene.FailsAsync(o => o with { UseDeviceCode = member.StartsWith("device") });
        Assert.Contains(e.Reason, new[] { ErrorReason.MetadataInvalid, ErrorReason.UnsafeEndpoint, ErrorReason.IssuerMismatch });
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
        Assert.Empty(scene.Person.Visited);
    }

    [Rule(38)]
    [Theory]
    [InlineData("not a url")]
    [InlineData("file:///etc/passwd")]
    [InlineData("https://[")]
    public async Task Revocation_endpoint_that_is_not_a_URL_still_removes_the_credential(string endpoint)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["revocation_endpoint"] = endpoint);
        await scene.LoginAsync();
        Assert.NotNull((await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation)).RevocationFailure);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Rule(39)]
    [Fact]
    public async Task Default_endpoints_are_used_only_if_the_user_allowed_it()
    {
        await using var scene = await SignInFixture.StartAsync(resource: new() { MetadataAtPath = false });
        scene.Resource.Challenge = _ => "Bearer";
        Assert.Equal(ErrorReason.MetadataInvalid, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Resource.Traffic.To("/register"));
        await scene.ChangeServerAsync(s => new(s) { AllowLegacyEndpoints = true });
        await scene.FailsAsync();
        Assert.Single(scene.Resource.Traffic.To("/register"));
    }
}

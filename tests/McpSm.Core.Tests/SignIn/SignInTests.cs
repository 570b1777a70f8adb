using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.SignIn;

public sealed class SignInTests
{
    [Rule(2, 14, 20, 21, 25)]
    [Fact]
    public async Task Sign_in_sends_one_request_of_each_kind_as_the_rules_require()
    {
        await using var scene = await SignInFixture.StartAsync();
        var result = await scene.LoginAsync();

        Assert.Equal(AuthState.Authenticated, result.Status.State);
        var registration = Assert.Single(scene.Issuer.Traffic.To("/register"));
        Assert.Equal("native", (string?)registration.Json!["application_type"]);
        Assert.Contains("refresh_token", registration.Json["grant_types"]!.AsArray().Select(g => (string?)g));
        var authorization = Assert.Single(scene.Issuer.Traffic.To("/authorize"));
        Assert.Equal("S256", authorization.QueryValue("code_challenge_method"));
        Assert.Equal(scene.Resource.McpUrl.AbsoluteUri, authorization.QueryValue("resource"));
        var token = Assert.Single(scene.Issuer.Traffic.To("/token"));
        Assert.Equal(scene.Resource.McpUrl.AbsoluteUri, token.FormValue("resource"));
        Assert.DoesNotContain(scene.Resource.Traffic.Requests, r => r.QueryString.Contains("access_token"));
        Assert.Contains("Signed in to my-api", await scene.Person.PageAsync());
    }

    [Rule(16, 25, 26)]
    [Fact]
    public async Task State_and_verifier_are_long_and_unique_per_sign_in()
    {
        await using var scene = await SignInFixture.StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await scene.LoginAsync();
        }
        var states = scene.Issuer.Traffic.To("/authorize").Select(r => r.QueryValue("state")!);
        var verifiers = scene.Issuer.Traffic.To("/token").Select(r => r.FormValue("code_verifier")!);
        Assert.Equal(6, states.Concat(verifiers).Distinct().Count());
        Assert.All(states.Concat(verifiers), s => Assert.Matches("^[A-Za-z0-9_-]{43}$", s));
    }

    [FieldFault(3)]
    [Fact]
    public async Task Query_of_the_authorization_endpoint_is_kept()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["authorization_endpoint"] += "?tenant=a%20b&x=1#end");
        await scene.LoginAsync();
        Assert.StartsWith("?tenant=a%20b&x=1&", Assert.Single(scene.Issuer.Traffic.To("/authorize")).QueryString);
    }

    [FieldFault(36)]
    [Rule(20)]
    [Theory]
    [InlineData("?resource=https%3A%2F%2Fother.example%2Fmcp", "")]
    [InlineData("?client_id=theirs&tenant=a", "tenant=a&")]
    [InlineData("?response_type=token&response_type=id_token&x=1&response_type=", "x=1&")]
    [InlineData("?a=%7e%2f%2F&re%73ource=X&code_challenge=Y&b=+c%20d&scope=all&&state=s&a=2", "a=%7e%2f%2F&b=+c%20d&&a=2&")]
    [InlineData("?Resource=X&resource_owner=kept", "resource_owner=kept&")]
    [InlineData("?", "")]
    [InlineData("?redirect_uri", "")]
    [InlineData("#?resource=X", "")]
    [InlineData("?x=%zz{ä}#end", "x=%zz%7B%C3%A4%7D&")]
    public async Task Own_parameters_replace_those_of_the_endpoint_query(string query, string remaining)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["authorization_endpoint"] += query);
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
        var request = Assert.Single(scene.Issuer.Traffic.To("/authorize"));
        // The comparison uses the URL that is shown, because browsers rewrite parts of it.
        Assert.Contains($"/authorize?{remaining}response_type=code&client_id=", scene.Person.Shown!.AbsoluteUri);
        foreach (var ours in new[] { "response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "resource", "scope" })
        {
            Assert.Single(request.Query[ours]!);
        }
        Assert.Equal(scene.Resource.McpUrl.AbsoluteUri, request.QueryValue("resource"));
    }

    [Rule(20)]
    [Theory]
    [InlineData("https://[::1]:8443/a%2Fb/?resource=X&t=%7e", "https://[::1]:8443/a%2Fb/?t=%7e&resource=Y")]
    [InlineData("https://bücher.example/authorize", "https://xn--bcher-kva.example/authorize?resource=Y")]
    [InlineData("  https://a.example:443?resource#x ", "https://a.example/?resource=Y")]
    public void Own_parameters_are_added_to_any_endpoint(string endpoint, string expected) => Assert.Equal(expected,
        EndpointUrl.Add(new Uri(endpoint), new Dictionary<string, string> { ["resource"] = "Y" }).AbsoluteUri);

    [Rule(27)]
    [Fact]
    public async Task Plain_http_endpoint_outside_this_machine_is_refused()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["token_endpoint"] = "http://issuer.example/token");
        Assert.Equal(ErrorReason.UnsafeEndpoint, (await scene.FailsAsync()).Reason);
    }

    [FieldFault(11)]
    [Rule(30)]
    [Theory]
    [InlineData("/token", ErrorReason.ProtocolViolation)]
    [InlineData("/register", ErrorReason.ClientRegistrationFailed)]
    public async Task Redirect_of_an_endpoint_that_takes_secrets_is_not_followed(string endpoint, ErrorReason reason)
    {
        await using var scene = await SignInFixture.StartAsync();
        await using var other = await TestMcpServer.StartAsync();
        scene.Issuer.Faults.Intercept(endpoint, context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = other.McpUrl.AbsoluteUri;
            return Task.CompletedTask;
        });
        Assert.Equal(reason, (await scene.FailsAsync()).Reason);
        Assert.Empty(other.Traffic.Requests);
    }

    [FieldFault(4, 10)]
    [Theory]
    [InlineData("""{"error":"invalid_grant"}""")]
    [InlineData("""{"access_token":"","token_type":"Bearer"}""")]
    [InlineData("""{"token_type":"Bearer"}""")]
    [InlineData("<html>no</html>")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task Invalid_token_response_with_status_200_stores_nothing(string body)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.Intercept("/token", context => context.Response.WriteAsync(body));
        var e = await scene.FailsAsync();
        Assert.Equal((ErrorReason.TokenResponseInvalid, $"Tell the operator of the issuer {scene.Issuer.Issuer}."), (e.Reason, e.Remedy.InShell()));
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Fact]
    public async Task Open_server_is_recognised_as_open()
    {
        await using var scene = await SignInFixture.StartAsync(resource: new() { Open = true, MetadataAtPath = false });
        Assert.True((await scene.LoginAsync()).IsOpenServer);
        Assert.Equal(AuthState.NoAuth, scene.Status.State);
    }

    [FieldFault(8)]
    [Fact]
    public async Task Lifetime_that_the_issuer_omits_is_unknown()
    {
        await using var scene = await SignInFixture.SignedInAsync(new() { OmitExpiresIn = true });
        Assert.Equal(AuthState.Unknown, scene.Status.State);
        Assert.Null(scene.Status.ExpiresAt);
        Assert.Contains("mcpsm test my-api", scene.Status.Remedy);
        Assert.NotNull(await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Empty(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Token_refused_at_sign_in_keeps_the_earlier_credential()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.AcceptedTokens["a-token"] = true;
        await scene.Authenticator.Servers.SetTokenAsync(scene.Server, "a-token", null, Cancellation);
        scene.Resource.Introspect = null;
        Assert.Equal(ErrorReason.TokenRejected, (await scene.FailsAsync()).Reason);
        Assert.Equal(AuthState.BearerToken, scene.Status.State);
        Assert.Equal("a-token", await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.DoesNotContain(scene.Issuer.Server.IssuedTokens, t => t.State == TokenState.Active);
    }

    [Fact]
    public async Task Token_refused_at_sign_in_keeps_a_credential_set_meanwhile()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.Introspect = null;
        // While the server checks the new token, another process stores its own token.
        scene.Resource.Faults.Before("/mcp", async context =>
        {
            if (context.Request.Headers.Authorization.Count > 0)
            {
                await scene.Work.New().Servers.SetTokenAsync(scene.Server, "another", null, default);
            }
        });
        Assert.Equal(ErrorReason.TokenRejected, (await scene.FailsAsync()).Reason);
        Assert.Equal("another", await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
    }

    [Fact]
    public async Task Token_refused_at_sign_in_is_not_stored()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.Introspect = null;
        Assert.Equal(ErrorReason.TokenRejected, (await scene.FailsAsync()).Reason);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
        Assert.DoesNotContain(scene.Issuer.Server.IssuedTokens, t => t.State == TokenState.Active);
    }
}

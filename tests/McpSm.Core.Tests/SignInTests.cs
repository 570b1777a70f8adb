using McpSm.Core.Errors;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests;

public sealed class SignInTests
{
    private static async Task<ErrorReason> FailsAsync(Workplace work, Servers.McpServer server, TimeSpan? timeout = null) =>
        (await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server, timeout))).Reason;

    [Fact]
    public async Task Rules_2_14_20_21_25_One_sign_in_is_a_handful_of_requests_each_as_the_rules_say()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);

        var result = await work.LoginAsync(server);

        Assert.Equal(AuthState.Authenticated, result.Status.State);
        var registration = Assert.Single(issuer.Traffic.To("/register"));
        Assert.Equal("native", (string?)registration.Json!["application_type"]);
        Assert.Contains("refresh_token", registration.Json["grant_types"]!.AsArray().Select(g => (string?)g));
        var authorization = Assert.Single(issuer.Traffic.To("/authorize"));
        Assert.Equal("S256", authorization.QueryValue("code_challenge_method"));
        Assert.Equal(resource.McpUrl.AbsoluteUri, authorization.QueryValue("resource"));
        var token = Assert.Single(issuer.Traffic.To("/token"));
        Assert.Equal(resource.McpUrl.AbsoluteUri, token.FormValue("resource"));
        Assert.DoesNotContain(resource.Traffic.Requests, r => r.QueryString.Contains("access_token"));
        Assert.Contains("Signed in to my-api", await PageAsync(work));
    }

    [Fact]
    public async Task Rules_15_26_Three_sign_ins_register_once()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        for (var i = 0; i < 3; i++)
        {
            await work.LoginAsync(server);
        }
        Assert.Equal(1, issuer.Traffic.Count("/register"));
    }

    [Fact]
    public async Task Rule_25_An_issuer_without_pkce_is_refused_before_anybody_is_sent_there()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        issuer.Faults.RewriteJson("/.well-known", json => json.Remove("code_challenge_methods_supported"));
        Assert.Equal(ErrorReason.PkceUnsupported, await FailsAsync(work, server));
        Assert.Empty(work.Person.Visited);
    }

    [Fact]
    public async Task Rule_6_Metadata_that_names_another_issuer_is_not_used()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        issuer.Faults.RewriteJson("/.well-known", json => json["issuer"] = issuer.Issuer + "/");
        Assert.Equal(ErrorReason.IssuerMismatch, await FailsAsync(work, server));
    }

    [Fact]
    public async Task Rule_7a_Metadata_of_another_resource_stops_the_sign_in()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        resource.Faults.RewriteJson("/.well-known", json => json["resource"] = resource.McpUrl.AbsoluteUri + "-other");
        Assert.Equal(ErrorReason.ResourceMismatch, await FailsAsync(work, server));
        Assert.Empty(work.Person.Visited);
    }

    [Theory]
    [InlineData("https://evil.example")]
    [InlineData(null)]
    public async Task Rules_17_19_A_wrong_or_promised_but_missing_iss_is_rejected_and_the_code_is_not_sent(string? iss)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        issuer.Faults.RewriteRedirect("/authorize", location =>
        {
            var at = location.IndexOf("&iss=", StringComparison.Ordinal);
            Assert.True(at > 0);
            var end = location.IndexOf('&', at + 1);
            return location[..at] + (end < 0 ? "" : location[end..]) + (iss is null ? "" : "&iss=" + Uri.EscapeDataString(iss));
        });
        Assert.Equal(ErrorReason.IssuerMismatch, await FailsAsync(work, server));
        Assert.Empty(issuer.Traffic.To("/token"));
    }

    [Fact]
    public async Task Rule_31_A_wrong_state_is_answered_400_and_told_when_the_time_is_over()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        var status = 0;
        work.Person.Browse = async url =>
        {
            var redirect = System.Web.HttpUtility.ParseQueryString(url.Query)["redirect_uri"];
            using var http = new HttpClient();
            status = (int)(await http.GetAsync(redirect + "?code=x&state=wrong")).StatusCode;
        };
        Assert.Equal(ErrorReason.StateMismatch, await FailsAsync(work, server, TimeSpan.FromSeconds(2)));
        Assert.Equal(400, status);
        Assert.Empty(issuer.Traffic.To("/token"));
    }

    [Fact]
    public async Task Rule_32_A_refusal_reaches_the_user_at_once_cleaned_of_control_characters()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        issuer.Faults.RewriteRedirect("/authorize", location =>
        {
            var query = System.Web.HttpUtility.ParseQueryString(new Uri(location).Query);
            return $"{new Uri(location).GetLeftPart(UriPartial.Path)}?error=access_denied&error_description=not%20%1b%5b31mtoday&state={query["state"]}&iss={Uri.EscapeDataString(issuer.Issuer)}";
        });
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(server));
        Assert.Equal(ErrorReason.AuthorizationDenied, e.Reason);
        Assert.Contains("not [31mtoday", e.Message);
        Assert.DoesNotContain('\x1b', e.Message);
    }

    [Theory]
    [InlineData("""{"error":"invalid_grant"}""")]
    [InlineData("""{"access_token":"","token_type":"Bearer"}""")]
    [InlineData("""{"token_type":"Bearer"}""")]
    [InlineData("<html>no</html>")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task A_token_answer_of_status_200_that_is_none_stores_nothing(string body)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        issuer.Faults.Intercept("/token", context => Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, body));
        Assert.Equal(ErrorReason.TokenResponseInvalid, await FailsAsync(work, server));
        Assert.Equal(AuthState.NotAuthenticated, work.Authenticator.Status(server).State);
    }

    [Fact]
    public async Task An_open_server_is_seen_to_need_none()
    {
        await using var resource = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true, MetadataAtPath = false });
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        Assert.True((await work.LoginAsync(server)).NeedsNone);
        Assert.Equal(AuthState.NoAuth, work.Authenticator.Status(server).State);
    }

    [Fact]
    public async Task A_client_that_the_issuer_has_forgotten_is_registered_anew_once()
    {
        await using var issuer = await TestIssuer.StartAsync(new AuthorizationServerOptions { TokenEndpointAuthMethods = ["client_secret_basic"] });
        await using var resource = await TestMcpServer.StartAsync(issuer);
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        await work.LoginAsync(server);
        issuer.Faults.Answer("/token", 401, """{"error":"invalid_client"}""", times: 1);
        await work.LoginAsync(server);
        Assert.Equal(2, issuer.Traffic.Count("/register"));
    }

    [Fact]
    public async Task Rules_22_A_token_does_not_follow_the_server_to_another_origin()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await TestMcpServer.StartAsync(issuer);
        await using var other = await TestMcpServer.StartAsync();
        using var work = new Workplace();
        var server = await work.AddAsync(resource.McpUrl);
        await work.LoginAsync(server);
        var moved = await work.Authenticator.Catalog.UpdateAsync(server.Id, s => s with { Url = other.McpUrl.AbsoluteUri }, default);
        Assert.Equal(AuthState.NotAuthenticated, work.Authenticator.Status(moved).State);
        await work.Authenticator.TestAsync(moved, TimeSpan.FromSeconds(5), default);
        await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.GetTokenAsync(moved, default));
        Assert.NotEmpty(other.Traffic.Requests);
        Assert.All(other.Traffic.Requests, r => Assert.Null(r.Header("Authorization")));
    }

    private static async Task<string> PageAsync(Workplace work)
    {
        for (var i = 0; i < 100 && work.Person.LastPage is null; i++)
        {
            await Task.Delay(20);
        }
        return work.Person.LastPage ?? "";
    }
}

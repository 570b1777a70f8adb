using McpSm.Core.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Discovery;

/// <summary>A token is for one resource: the name of the resource in requests, and the URLs that get the token.</summary>
public sealed class ResourceTests
{
    [Rule(20)]
    [Theory]
    [InlineData("http://127.0.0.1:{0}/mcp/")]
    [InlineData("http://127.0.0.1:{0}")]
    [InlineData("HTTP://127.0.0.1:{0}/mcp")]
    [InlineData("http://127.0.0.1:{0}/%6Dcp")]
    [InlineData("http://LocalHost:{0}/mcp")]
    public async Task Resource_of_the_metadata_is_sent_byte_for_byte(string form)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.Resource = string.Format(form, scene.Resource.McpUrl.Port);
        if (form.Contains("LocalHost"))
        {
            await scene.ChangeServerAsync(s => new(s) { Url = s.Url.Replace("127.0.0.1", "localhost") });
        }
        await scene.LoginAsync();
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        AssertNamed(scene, scene.Resource.Resource);
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        Assert.Equal(2, scene.Issuer.Traffic.Count("/token"));
    }

    [Rule(20)]
    [Theory]
    [InlineData("/mcp", "http://127.0.0.1:{0}/mcp")]
    [InlineData("/mcp/", "http://127.0.0.1:{0}/mcp")]
    [InlineData("/", "http://127.0.0.1:{0}")]
    public async Task Resource_without_metadata_is_the_canonical_URL_without_final_slash(string path, string form)
    {
        await using var scene = await SignInFixture.StartAsync(resource: new() { Path = path, MetadataAtPath = false });
        scene.Resource.Challenge = _ => "Bearer";
        scene.Resource.Resource = string.Format(form, scene.Resource.McpUrl.Port);
        await scene.ChangeServerAsync(s => new(s) { Issuer = scene.Issuer.Issuer, Url = s.Url.Replace("http:", "HTTP:") });
        await scene.LoginAsync();
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        AssertNamed(scene, scene.Resource.Resource);
    }

    private static void AssertNamed(SignInFixture scene, string resource)
    {
        Assert.Equal(resource, Assert.Single(scene.Issuer.Traffic.To("/authorize")).QueryValue("resource"));
        Assert.Equal(resource, Assert.Single(scene.Issuer.Traffic.OfGrant("authorization_code")).FormValue("resource"));
        Assert.Equal(resource, Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token")).FormValue("resource"));
    }

    [Rule(22)]
    [Fact]
    public async Task Token_is_not_sent_after_a_move_to_another_origin()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await using var other = await TestMcpServer.StartAsync();
        await scene.ChangeServerAsync(s => new(s) { Url = other.McpUrl.AbsoluteUri });
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
        await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(5), Cancellation);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.NotEmpty(other.Traffic.Requests);
        Assert.All(other.Traffic.Requests, r => Assert.Null(r.Header("Authorization")));
    }

    [Rule(22)]
    [Fact]
    public async Task Token_is_not_sent_after_a_move_outside_its_resource()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.ChangeServerAsync(s => new(s) { Url = new Uri(scene.Resource.McpUrl, "/other").AbsoluteUri });
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
        await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(5), Cancellation);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.NotEmpty(scene.Resource.Traffic.To("/other"));
        Assert.All(scene.Resource.Traffic.To("/other"), r => Assert.Null(r.Header("Authorization")));
    }

    [Rule(21, 22)]
    [Fact]
    public async Task Handler_sends_the_token_only_to_the_origin_of_the_server()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await using var other = await TestMcpServer.StartAsync();
        scene.Resource.Traffic.Clear();
        using var http = new HttpClient(new AuthenticatingHandler(scene.Server, scene.Authenticator));
        await http.PostAsync(scene.Resource.McpUrl, new StringContent("{}"), Cancellation);
        await http.GetAsync(scene.Resource.McpUrl, Cancellation);
        Assert.Equal(2, scene.Resource.Traffic.Requests.Count);
        Assert.All(scene.Resource.Traffic.Requests, r => Assert.StartsWith("Bearer at_", r.Header("Authorization")));
        Assert.All(scene.Resource.Traffic.Requests, r => Assert.Empty(r.QueryString));
        var e = await Assert.ThrowsAsync<McpAuthException>(() => http.GetAsync(other.McpUrl, Cancellation));
        Assert.Equal(ErrorReason.UnsafeEndpoint, e.Reason);
        Assert.Empty(other.Traffic.Requests);
    }

    [Rule(22, 30)]
    [Theory]
    [InlineData(302)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Handler_does_not_follow_redirects_of_the_server(int status)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await using var other = await TestMcpServer.StartAsync();
        scene.Resource.Faults.Intercept("/mcp", context =>
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = other.McpUrl.AbsoluteUri;
            return Task.CompletedTask;
        });
        var result = await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(5), Cancellation);
        Assert.Equal(ErrorReason.ProtocolViolation, result.Reason);
        Assert.Contains("redirects to " + other.McpUrl.AbsoluteUri, result.Error);
        Assert.Empty(other.Traffic.Requests);
    }

    [Fact]
    public async Task Handler_answers_401_with_one_renewal_and_the_same_request()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var old = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        scene.Issuer.Server.Expire(old);
        scene.Resource.Traffic.Clear();
        using var http = new HttpClient(new AuthenticatingHandler(scene.Server, scene.Authenticator));
        using var answer = await http.PostAsync(scene.Resource.McpUrl, new StringContent("""{"jsonrpc":"2.0","id":7,"method":"ping"}"""), Cancellation);
        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal([401, 200], scene.Resource.Traffic.Requests.Select(r => r.StatusCode));
        Assert.Single(scene.Resource.Traffic.Requests.Select(r => r.Body).Distinct());
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }
}

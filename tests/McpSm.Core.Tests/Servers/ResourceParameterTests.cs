using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Servers;

/// <summary>The setting for the <c>resource</c> parameter of requests to an issuer.</summary>
public sealed class ResourceParameterTests
{
    private const string Other = "https://tenant1.example/";

    [Rule(20)]
    [Theory]
    [InlineData(Other, Other)]
    [InlineData("none", null)]
    public async Task Chosen_resource_is_in_every_request_of_a_person(string setting, string? sent)
    {
        await using var scene = await SignInFixture.StartAsync(new AuthorizationServerOptions { Organisation = new Organisation() },
            server: server => new McpServer(server) { Resource = setting });
        AcceptEveryAudience(scene);

        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);

        Assert.Equal(sent, Assert.Single(scene.Issuer.Traffic.To("/authorize")).QueryValue("resource"));
        Assert.Equal(sent, Assert.Single(scene.Issuer.Traffic.OfGrant("authorization_code")).FormValue("resource"));
        Assert.Equal(sent, Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token")).FormValue("resource"));
        // The token still belongs to the server only.
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
    }

    [Rule(20, 33)]
    [Fact]
    public async Task Chosen_resource_is_in_the_request_of_a_client()
    {
        await using var scene = await SignInFixture.StartAsync(
            new AuthorizationServerOptions { PreRegisteredClients = [new RegisteredClient("job", "s3cr3t-of-it", [], "client_secret_basic")] },
            server: server => new McpServer(server) { Resource = Other });
        AcceptEveryAudience(scene);

        await scene.LoginAsync(how => how with { ClientCredentials = new ClientCredentials("job", "s3cr3t-of-it") });
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);

        Assert.All(scene.Issuer.Traffic.OfGrant("client_credentials"), request => Assert.Equal(Other, request.FormValue("resource")));
        Assert.Equal(2, scene.Issuer.Traffic.OfGrant("client_credentials").Count);
    }

    [Theory]
    [InlineData("not a URI")]
    [InlineData("/relative")]
    [InlineData("https://a.example/#fragment")]
    public async Task Resource_that_is_not_an_absolute_URI_is_refused(string resource)
    {
        using var work = new TestEnvironment();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.Servers.AddAsync(
            new ServerUpdate { Name = "a", Url = "https://a.example/mcp", Resource = resource }, Cancellation));
        Assert.Equal(ErrorReason.InvalidValue, e.Reason);
    }

    private static void AcceptEveryAudience(SignInFixture scene) =>
        scene.Resource.Introspect = token => scene.Issuer.Server.Introspect(token) is { } info ? info with { Resources = [scene.Resource.Resource] } : null;
}

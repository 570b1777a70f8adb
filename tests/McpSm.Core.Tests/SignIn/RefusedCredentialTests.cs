using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using Xunit;

namespace McpSm.Core.Tests.SignIn;

/// <summary>The test of a server and the validation of its status agree on a credential that the server refuses.</summary>
public sealed class RefusedCredentialTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(OAuthMode.On)]
    [InlineData(OAuthMode.Off)]
    [InlineData(OAuthMode.Unset)]
    public async Task Refused_bearer_token_is_expired_and_the_remedy_sets_another(OAuthMode mode)
    {
        await using var scene = await SignInFixture.StartAsync();
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { OAuth = mode, Token = "refused" }, Cancellation);
        await RequireAsync(scene, AuthState.Expired, "mcpsm auth set my-api");
    }

    [Fact]
    public async Task Refused_bearer_token_in_config_json_has_the_same_state_and_remedy()
    {
        await using var scene = await SignInFixture.StartAsync();
        var config = scene.Work.Home.PathOf("config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"id\": \"my-api\"", "\"id\": \"my-api\", \"bearerToken\": \"refused\""));
        await RequireAsync(scene, AuthState.Expired, "mcpsm auth set my-api");
    }

    [Fact]
    public async Task Missing_token_with_sign_in_off_has_a_remedy_that_sets_it()
    {
        await using var scene = await SignInFixture.StartAsync();
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { OAuth = OAuthMode.Off }, Cancellation);
        await RequireAsync(scene, AuthState.NotAuthenticated, "mcpsm auth set my-api");
    }

    [Fact]
    public async Task Missing_credential_has_a_remedy_that_signs_in()
    {
        await using var scene = await SignInFixture.StartAsync();
        await RequireAsync(scene, AuthState.NotAuthenticated, "mcpsm auth login my-api");
    }

    [Fact]
    public async Task Refused_token_without_renewal_has_a_remedy_by_sign_in_setting()
    {
        await using var scene = await SignInFixture.SignedInAsync(new AuthorizationServerOptions { IssueRefreshTokens = false });
        scene.Resource.Introspect = _ => null;
        await RequireAsync(scene, AuthState.Expired, "mcpsm auth login my-api");
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { OAuth = OAuthMode.Off }, Cancellation);
        await RequireAsync(scene, AuthState.Expired, "mcpsm auth set my-api");
    }

    [Fact]
    public async Task Refused_token_that_can_be_renewed_is_renewed_only_by_the_test()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Resource.Introspect = _ => null;
        var validated = await scene.Authenticator.Tester.ValidateAsync(scene.Server, Cancellation);
        Assert.Equal((AuthState.Expired, "mcpsm auth refresh my-api"), (validated.State, validated.Remedy));
        var tested = await scene.Authenticator.Tester.TestAsync(scene.Server, Limit, Cancellation);
        // The test renewed the token, and the server refused the new one too.
        Assert.Equal((AuthState.Expired, "mcpsm auth login my-api"), (tested.State, tested.Remedy));
    }

    private static async Task RequireAsync(SignInFixture scene, AuthState state, string remedy)
    {
        var server = scene.Authenticator.Catalog.Get(scene.Server.Id);
        var tested = await scene.Authenticator.Tester.TestAsync(server, Limit, default);
        var validated = await scene.Authenticator.Tester.ValidateAsync(server, default);
        Assert.Equal((false, state, remedy), (tested.Success, tested.State, tested.Remedy));
        Assert.Equal((state, remedy), (validated.State, validated.Remedy));
    }
}

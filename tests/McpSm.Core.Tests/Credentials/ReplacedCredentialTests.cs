using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Tests.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>
/// Tokens that a later sign-in replaces are revoked, because Mcpsm would not revoke them later. At some issuers, revoking one refresh
/// token revokes all tokens of the client (RFC 7009 section 2.1).
/// </summary>
public sealed class ReplacedCredentialTests
{
    /// <summary>Makes the issuer revoke all tokens when it revokes one refresh token.</summary>
    private static void RevokeAllWithOne(SignInFixture scene) => scene.Issuer.Faults.Before("/revoke", _ =>
    {
        if (scene.Issuer.Traffic.To("/revoke")[^1].FormValue("token_type_hint") == "refresh_token")
        {
            scene.Issuer.Server.RevokeAllTokens();
        }
        return Task.CompletedTask;
    });

    [Rule(7, 38)]
    [Fact]
    public async Task Concurrent_sign_ins_revoke_the_tokens_that_are_replaced()
    {
        await using var scene = await SignInFixture.StartAsync();
        var server = scene.Server;
        var isFirst = true;
        scene.Person.Browse = async url =>
        {
            if (isFirst)
            {
                isFirst = false;
                await scene.Work.New().SignIn.SignInAsync(server, TestEnvironment.SignIn, default);
            }
            using var answer = await StandInBrowser.ClickThroughAsync(url, cancellationToken: CancellationToken.None);
        };
        await scene.LoginAsync();
        // Each sign-in used its own port, and therefore registered its own client.
        Assert.Equal(2, scene.Issuer.Server.Clients.Count);
        var current = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        var alive = scene.Issuer.Server.IssuedTokens.Where(t => t.State == TokenState.Active).ToList();
        Assert.Equal([TokenKind.Access, TokenKind.Refresh], alive.Select(t => t.Kind).Order());
        Assert.Single(alive.Select(t => t.ClientId).Distinct());
        Assert.Contains(alive, t => t.Value == current);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [FieldFault(27)]
    [Rule(38)]
    [Fact]
    public async Task Repeated_sign_in_of_the_same_client_revokes_nothing()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        RevokeAllWithOne(scene);
        await scene.LoginAsync();
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Empty(scene.Issuer.Traffic.To("/revoke"));
    }

    [FieldFault(27)]
    [Rule(38)]
    [Fact]
    public async Task Token_refused_by_the_server_does_not_revoke_the_earlier_session()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        RevokeAllWithOne(scene);
        var (first, introspect) = (await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation), scene.Resource.Introspect!);
        scene.Resource.Introspect = token => token == first ? introspect(token) : null;
        Assert.Equal(ErrorReason.TokenRejected, (await scene.FailsAsync()).Reason);
        Assert.Equal(["access_token"], scene.Issuer.Traffic.To("/revoke").Select(r => r.FormValue("token_type_hint")));
        scene.Resource.Introspect = introspect;
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.True((await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(20), Cancellation)).Success);
    }

    [Rule(34, 38)]
    [Fact]
    public async Task Provider_session_of_another_person_or_client_is_revoked_by_the_next()
    {
        await using var work = await EnterpriseFixture.StartAsync(provider: o => o with
        {
            PreRegisteredClients = [.. o.PreRegisteredClients, o.PreRegisteredClients[0] with { ClientId = "another-client" }],
        });
        async Task<IReadOnlyList<string?>> RevokedBySignInAsync()
        {
            work.Provider.Traffic.Clear();
            await work.Authenticator.IdentityProviders.SignInAsync(work.Provider.Issuer, TestEnvironment.SignIn, default);
            return [.. work.Provider.Traffic.To("/revoke").Select(r => r.FormValue("token"))];
        }
        IReadOnlyList<string> IssuedRefreshTokens() => [.. work.Provider.Server.IssuedTokens.Where(t => t.Kind == TokenKind.Refresh).Select(t => t.Value)];

        Assert.Empty(await RevokedBySignInAsync());
        Assert.Empty(await RevokedBySignInAsync());
        work.Provider.Faults.RewriteJson("/token",
            answer => answer["id_token"] = EnterpriseTests.WithClaims((string)answer["id_token"]!, c => c["sub"] = "another"), times: 1);
        var before = IssuedRefreshTokens()[^1];
        Assert.True(before == Assert.Single(await RevokedBySignInAsync()));

        await work.Authenticator.IdentityProviders.SetAsync(new IdentityProviderSetting(work.Provider.Issuer, "another-client", []),
            EnterpriseFixture.ProviderSecret, null, Cancellation);
        before = IssuedRefreshTokens()[^1];
        work.Provider.Faults.Answer("/revoke", 503);
        Assert.True(before == Assert.Single(await RevokedBySignInAsync()));
        Assert.True(work.Authenticator.IdentityProviders.List()[0].SignedIn);
    }
}

using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.SignIn;

public sealed class SignOutTests
{
    [Rule(38)]
    [Fact]
    public async Task Sign_out_revokes_refresh_then_access_token_and_always_removes_them()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Answer("/revoke", 503, "", times: 2);
        var result = await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        Assert.NotNull(result.RevocationFailure);
        Assert.Equal(["refresh_token", "access_token"], scene.Issuer.Traffic.To("/revoke").Select(r => r.FormValue("token_type_hint")));
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Rule(38)]
    [Fact]
    public async Task Sign_out_leaves_no_active_token()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var result = await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        Assert.Equal((true, null), (result.HadOAuth, result.RevocationFailure));
        Assert.DoesNotContain(scene.Issuer.Server.IssuedTokens, t => t.State == TokenState.Active);
    }

    [FieldFault(14)]
    [Rule(38)]
    [Fact]
    public async Task Sign_out_at_a_hanging_issuer_removes_the_credential()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Hang("/revoke");
        var environment = scene.Work.Home;
        var signOut = new SignOutFlow(scene.Work.Store,
            new TokenRevoker(environment, limit: TimeSpan.FromMilliseconds(300)));
        var result = await signOut.RunAsync(scene.Server, local: false, keepBearer: true, Cancellation).WaitAsync(TimeSpan.FromSeconds(20), Cancellation);
        Assert.Contains("did not respond within", result.RevocationFailure);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal(ErrorReason.AuthenticationRequired, e.Reason);
    }

    [Rule(38)]
    [Fact]
    public async Task Cancelled_sign_out_at_a_hanging_issuer_removes_the_credential()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Hang("/revoke");
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, cancellation.Token));
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Fact]
    public async Task Local_sign_out_sends_no_request_to_the_issuer()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: true, Cancellation);
        Assert.Empty(scene.Issuer.Traffic.To("/revoke"));
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }
}

using McpSm.Core.Interruption;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Entra;
using McpSm.Core.Tests.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using McpSm.TestServers.Entra;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.Files;

/// <summary>Operations that are cancelled while they exchange a refresh token, a code or a device code.</summary>
public sealed class TokenExchangeTests
{
    [Rule(23)]
    [Fact]
    public async Task Renewal_cancelled_during_the_exchange_stores_the_response()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        using var cancel = CancelDuring(scene.Issuer.Faults, "/token");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, cancel.Token));
        var token = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.NotNull(scene.Issuer.Server.Introspect(token));
        Assert.False(scene.Status.RenewalUncertain);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal(2, scene.Issuer.Traffic.OfGrant("refresh_token").Count);
    }

    [Fact]
    public async Task Renewal_cancelled_without_response_is_uncertain()
    {
        // The timers of this clock end at once, so the limit of 8 seconds costs the test no time.
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        using var cancel = new CancellationTokenSource();
        scene.Issuer.Faults.Intercept("/token", context =>
        {
            cancel.Cancel();
            return Task.Delay(Timeout.Infinite, context.RequestAborted);
        }, times: 1);
        var before = clock.GetUtcNow();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            scene.Authenticator.Tokens.RenewAsync(scene.Server, cancel.Token).WaitAsync(TimeSpan.FromSeconds(10), Cancellation));
        Assert.True(scene.Status is { RenewalUncertain: true, CanRenew: true });
        Assert.Equal(TokenExchange.Limit, clock.Waits[^1]);
        Assert.True(clock.GetUtcNow() - before >= TokenExchange.Limit);
    }

    [Fact]
    public async Task Renewal_cancelled_before_it_begins_sends_nothing()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        using var cancel = new CancellationTokenSource();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, cancel.Token));
        Assert.Empty(scene.Issuer.Traffic.OfGrant("refresh_token"));
        Assert.False(scene.Status.RenewalUncertain);
    }

    [Fact]
    public async Task Sign_in_cancelled_during_the_code_exchange_is_stored()
    {
        await using var scene = await SignInFixture.StartAsync();
        using var cancel = CancelDuring(scene.Issuer.Faults, "/token");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ConnectAsync(scene, o => o, cancel.Token));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        Assert.False(scene.Work.Home.Exchanges.AnyRunning);
    }

    [Fact]
    public async Task Sign_in_cancelled_during_a_device_token_request_is_stored()
    {
        await using var scene = await SignInFixture.StartAsync(new() { SupportsDeviceCode = true });
        scene.Person.Device = code => scene.Issuer.Server.DecideDevice(code.UserCode, true);
        using var cancel = CancelDuring(scene.Issuer.Faults, "/token");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ConnectAsync(scene, o => o with { UseDeviceCode = true }, cancel.Token));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
    }

    [Fact]
    public async Task Device_sign_in_without_approval_ends_at_the_cancellation()
    {
        await using var scene = await SignInFixture.StartAsync(new() { SupportsDeviceCode = true });
        using var cancel = CancelDuring(scene.Issuer.Faults, "/token");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ConnectAsync(scene, o => o with { UseDeviceCode = true }, cancel.Token));
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
        Assert.Single(scene.Issuer.Traffic.To("/token"));
    }

    [Rule(34)]
    [Fact]
    public async Task Session_renewal_cancelled_without_response_keeps_the_session()
    {
        var clock = new ManualTimeProvider();
        await using var work = await EnterpriseFixture.SignedInAsync(clock);
        clock.Advance(TimeSpan.FromHours(2));
        using var cancel = new CancellationTokenSource();
        work.Provider.Faults.Intercept("/token", context =>
        {
            cancel.Cancel();
            return Task.Delay(Timeout.Infinite, context.RequestAborted);
        }, times: 1);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            work.Authenticator.Tokens.GetTokenAsync(work.One, cancel.Token).WaitAsync(TimeSpan.FromSeconds(10), Cancellation));
        Assert.Contains(TokenExchange.Limit, clock.Waits);
        Assert.True(Assert.Single(work.Authenticator.IdentityProviders.List()).CanRenew);
        await work.Authenticator.Tokens.GetTokenAsync(work.One, Cancellation);
        Assert.Single(work.Work.Person.Visited);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Entra_sign_in_and_renewal_cancelled_during_the_exchange_are_stored(bool device)
    {
        await using var scene = await EntraFixture.StartAsync();
        using (var cancel = CancelDuring(scene.Entra.Faults, $"/{FakeEntra.Tenant}/oauth2/v2.0/token"))
        {
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.Authenticator.SignIn.SignInAsync(scene.Server,
                new SignInOptions { CallbackPort = 0, UseDeviceCode = device, Timeout = TimeSpan.FromSeconds(30) }, cancel.Token));
        }
        Assert.Equal((AuthState.Authenticated, true), (scene.Status.State, scene.Status.CanRenew));
        using var again = CancelDuring(scene.Entra.Faults, $"/{FakeEntra.Tenant}/oauth2/v2.0/token");
        var before = scene.Status.ExpiresAt;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, again.Token));
        Assert.NotEqual(before, scene.Status.ExpiresAt);
        Assert.False(scene.Status.RenewalUncertain);
    }

    private static Task<SignInResult> ConnectAsync(SignInFixture scene, Func<SignInOptions, SignInOptions> how, CancellationToken cancellationToken) =>
        scene.Authenticator.SignIn.SignInAsync(scene.Server, how(TestEnvironment.SignIn), cancellationToken);

    /// <summary>Returns a source that is cancelled when the issuer gets the request, shortly before it responds.</summary>
    private static CancellationTokenSource CancelDuring(Faults faults, string path)
    {
        var cancel = new CancellationTokenSource();
        faults.Before(path, async (HttpContext context) =>
        {
            cancel.Cancel();
            await Task.Delay(300, context.RequestAborted);
        }, times: 1);
        return cancel;
    }
}

using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>Many processes wait for one renewal that gets no response.</summary>
public sealed class WaitingRenewalTests
{
    [Rule(23)]
    [Fact]
    public async Task Renewal_at_a_hanging_endpoint_sends_the_refresh_token_once()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Hang("/token");
        var failures = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
            await Assert.ThrowsAsync<McpAuthException>(() => scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation)))));
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
        Assert.All(failures, e =>
        {
            Assert.Equal(ErrorReason.ServerUnreachable, e.Reason);
            Assert.Contains("did not respond within 15 seconds", e.Message);
            Assert.NotNull(e.Remedy.InShell());
        });
        Assert.Equal(15, failures.Count(e => e.Message.Contains("did not send the request again")));
        Assert.True(scene.Status is { RenewalUncertain: true, CanRenew: true });

        // A later command did not wait, so it sends the request.
        scene.Issuer.Faults.Clear();
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Null(new CredentialIndex(scene.Work.Home).Read("my-api")!.RenewalFailed);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Callers_that_waited_for_a_lost_or_failed_response_do_not_send(bool lost)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Delay("/token", TimeSpan.FromSeconds(2));
        if (lost)
        {
            scene.Issuer.Faults.DropConnectionAfterHandling("/token");
        }
        else
        {
            scene.Issuer.Faults.Answer("/token", 503);
        }
        var failures = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
            await Assert.ThrowsAsync<McpAuthException>(() => scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation)))));
        Assert.All(failures, e => Assert.Equal(ErrorReason.ServerUnreachable, e.Reason));
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Callers_that_waited_for_a_killed_process_do_not_send()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        // The state that a process leaves if it is killed while the issuer handles its request.
        var serverLock = await scene.Work.Home.LockAsync("server-my-api", Cancellation);
        await new CredentialIndex(scene.Work.Home).WriteAsync("my-api", f => f! with { RenewalBegan = DateTimeOffset.UtcNow }, Cancellation);
        var waiting = Task.Run(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation), Cancellation);
        await Task.Delay(500, Cancellation);
        serverLock.Dispose();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => waiting);
        Assert.Equal((ErrorReason.ServerUnreachable, "my-api"), (e.Reason, e.Server));
        Assert.Contains("ended before the issuer answered", e.Message);
        Assert.Empty(scene.Issuer.Traffic.OfGrant("refresh_token"));
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [Fact]
    public async Task Callers_that_wait_longer_than_the_lock_timeout_report_the_renewal()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        using var serverLock = await scene.Work.Home.LockAsync("server-my-api", Cancellation);
        await new CredentialIndex(scene.Work.Home).WriteAsync("my-api", f => f! with { RenewalBegan = DateTimeOffset.UtcNow }, Cancellation);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal((ErrorReason.ServerUnreachable, "my-api"), (e.Reason, e.Server));
        Assert.Contains("has been renewing the token of 'my-api' for 30 seconds", e.Message);
        Assert.DoesNotContain(".lock", e.Message);
    }

    [Fact]
    public async Task Refused_renewal_of_sixteen_callers_is_sent_once()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Delay("/token", TimeSpan.FromSeconds(2));
        scene.Issuer.Faults.Answer("/token", 400);
        var failures = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(async () =>
            await Assert.ThrowsAsync<McpAuthException>(() => scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation)))));
        Assert.All(failures, e => Assert.Equal((ErrorReason.AuthenticationRequired, "mcpsm auth login my-api"), (e.Reason, e.Remedy.InShell())));
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }
}

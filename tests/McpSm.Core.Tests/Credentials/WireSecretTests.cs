using McpSm.Core.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>Transport faults at endpoints that take secrets: one clear error, no broken credential, and no secret sent elsewhere.</summary>
public sealed class WireSecretTests
{
    private const string Tokens = """{"access_token":"given","token_type":"Bearer","refresh_token":"more"}""";

    [FieldFault(6, 7, 15)]
    [Rule(30)]
    [Theory]
    [InlineData("a body without end", ErrorReason.TokenResponseInvalid)]
    [InlineData("5 MB", ErrorReason.TokenResponseInvalid)]
    [InlineData("the end of the connection", ErrorReason.ServerUnreachable)]
    [InlineData("a reset", ErrorReason.ServerUnreachable)]
    [InlineData("no http", ErrorReason.ServerUnreachable)]
    [InlineData("100 KB of headers", ErrorReason.ProtocolViolation)]
    [InlineData("10,000 cookies", ErrorReason.ProtocolViolation)]
    [InlineData("a gzip bomb", ErrorReason.TokenResponseInvalid)]
    [InlineData("gzip that was not requested", ErrorReason.TokenResponseInvalid)]
    [InlineData("a redirect to itself", ErrorReason.ProtocolViolation)]
    [InlineData("a redirect to a script", ErrorReason.ProtocolViolation)]
    [InlineData("a redirect to nowhere", ErrorReason.ProtocolViolation)]
    [InlineData("another protocol", ErrorReason.TokenResponseInvalid)]
    [InlineData("nothing", ErrorReason.TokenResponseInvalid)]
    [InlineData("no content", ErrorReason.TokenResponseInvalid)]
    [InlineData("a web page", ErrorReason.TokenResponseInvalid)]
    [InlineData("JSON of a million levels", ErrorReason.TokenResponseInvalid)]
    public async Task Wire_fault_at_any_token_endpoint_is_one_error_and_stores_nothing(string fault, ErrorReason reason)
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.StartAsync(new() { SupportsDeviceCode = true }, clock: clock);
        await using var raw = WireFaults.Start(fault, Tokens);

        SetEndpoint(scene, "registration_endpoint", raw.Url);
        Assert.Equal(reason == ErrorReason.ServerUnreachable ? reason : ErrorReason.ClientRegistrationFailed, (await FailsAsync(scene)).Reason);
        Assert.Empty(scene.Person.Visited);
        SetEndpoint(scene, "device_authorization_endpoint", raw.Url);
        Assert.Equal(reason, (await FailsAsync(scene, device: true)).Reason);
        SetEndpoint(scene, "token_endpoint", raw.Url);
        Assert.Equal(reason, (await FailsAsync(scene)).Reason);
        Assert.Contains("Not signed in to my-api", await scene.Person.PageAsync());

        scene.Issuer.Faults.Clear();
        await scene.LoginAsync();
        var token = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        clock.Advance(TimeSpan.FromHours(25));
        SetEndpoint(scene, "token_endpoint", raw.Url);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal(reason, e.Reason);
        Assert.True(scene.Status.CanRenew);
        // A response with status 3xx does not spend the token. After every other fault, the outcome is unknown.
        Assert.Equal(!fault.StartsWith("a redirect"), scene.Status.RenewalUncertain);
        Assert.DoesNotContain(scene.Issuer.Traffic.Requests, r => r.Body.Contains(token));

        scene.Issuer.Faults.Clear();
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal((AuthState.Authenticated, false), (scene.Status.State, scene.Status.RenewalUncertain));
        Assert.Equal(4, raw.Requests.Count(r => r.StartsWith("POST")));
        Assert.Equal(4, raw.Requests.Count);
    }

    [FieldFault(14)]
    [Rule(30)]
    [Fact]
    public async Task Endless_response_of_a_token_endpoint_is_abandoned_in_time() =>
        await Task.WhenAll(WireFaults.Endless.Select(async fault =>
        {
            var clock = new ManualTimeProvider();
            await using var scene = await SignInFixture.SignedInAsync(clock: clock);
            await using var raw = WireFaults.Start(fault, Tokens);
            clock.Advance(TimeSpan.FromHours(25));
            SetEndpoint(scene, "token_endpoint", raw.Url);
            // The user completes the sign-in within a second. The request to the issuer then has its own timeout.
            var signIn = scene.FailsAsync(o => o with { Timeout = TimeSpan.FromSeconds(5) });
            var renewal = Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
            foreach (var e in await Task.WhenAll(signIn, renewal).WaitAsync(TimeSpan.FromSeconds(60)))
            {
                Assert.Equal((ErrorReason.ServerUnreachable, true), (e.Reason, e.OutcomeUnknown));
                Assert.Contains("did not respond within 15 seconds", e.Message);
            }
            Assert.Equal((true, true), (scene.Status.CanRenew, scene.Status.RenewalUncertain));
            scene.Issuer.Faults.Clear();
            await scene.Authenticator.Tokens.RenewAsync(scene.Server, default);
        }));

    [Rule(30)]
    [Fact]
    public async Task Token_endpoint_with_untrusted_TLS_receives_no_secret()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        await using var tls = await TestIssuer.StartAsync(new() { Certificate = LoopbackCertificates.Server });
        clock.Advance(TimeSpan.FromHours(25));
        SetEndpoint(scene, "token_endpoint", new Uri(tls.Issuer + "/token"));
        Assert.Equal(ErrorReason.ServerUnreachable, (await scene.FailsAsync()).Reason);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal((ErrorReason.ServerUnreachable, false), (e.Reason, e.OutcomeUnknown));
        Assert.Equal((true, false), (scene.Status.CanRenew, scene.Status.RenewalUncertain));
        Assert.Empty(tls.Traffic.Requests);
    }

    [FieldFault(11)]
    [Rule(30)]
    [Fact]
    public async Task Redirect_of_a_renewal_to_another_origin_is_not_followed()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        await using var other = await TestIssuer.StartAsync();
        scene.Issuer.Faults.Intercept("/token", context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = other.Issuer + "/token";
            return Task.CompletedTask;
        });
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal(ErrorReason.ProtocolViolation, e.Reason);
        Assert.Empty(other.Traffic.Requests);
        scene.Issuer.Faults.Clear();
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [Rule(30, 38)]
    [Theory]
    [InlineData("a reset")]
    [InlineData("100 KB of headers")]
    [InlineData("a redirect to itself")]
    [InlineData("no http")]
    public async Task Wire_fault_at_revocation_still_removes_the_credential(string fault)
    {
        await using var scene = await SignInFixture.StartAsync();
        await using var raw = WireFaults.Start(fault, "");
        SetEndpoint(scene, "revocation_endpoint", raw.Url);
        await scene.LoginAsync();
        Assert.NotNull((await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation)).RevocationFailure);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
        Assert.Equal(2, raw.Requests.Count);
    }

    [Fact]
    public async Task Duplicate_access_token_member_uses_the_last_and_all_scopes_are_kept()
    {
        await using var scene = await SignInFixture.StartAsync();
        var scopes = string.Join(' ', Enumerable.Range(0, 10_000).Select(i => $"scope:{i}"));
        await using var raw = WireFaults.Answering("200 OK", $$"""
            {"access_token":"first","access_token":"last","token_type":"Bearer","expires_in":3600,"scope":"{{scopes}}"}
            """);
        scene.Resource.AcceptedTokens["last"] = true;
        SetEndpoint(scene, "token_endpoint", raw.Url);
        await scene.LoginAsync();
        Assert.Equal("last", await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal(10_000, scene.Status.Scopes.Count);
    }

    /// <summary>Changes the URL of an endpoint in the issuer's metadata.</summary>
    private static void SetEndpoint(SignInFixture scene, string endpoint, Uri to)
    {
        scene.Issuer.Faults.Clear();
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json[endpoint] = to.AbsoluteUri);
    }

    private static async Task<McpAuthException> FailsAsync(SignInFixture scene, bool device = false)
    {
        var e = await scene.FailsAsync(o => o with { UseDeviceCode = device });
        Assert.Equal("my-api", e.Server);
        Assert.Equal((AuthState.NotAuthenticated, false), (scene.Status.State, scene.Status.CanRenew));
        var none = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.GetTokenAsync(scene.Server, default));
        Assert.Equal(ErrorReason.AuthenticationRequired, none.Reason);
        return e;
    }
}

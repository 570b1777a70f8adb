using McpSm.Core.Errors;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.Registration;

/// <summary>An issuer that no longer knows a registered client.</summary>
public sealed class ForgottenClientTests
{
    private const string Forgotten = """{"error":"invalid_client"}""";

    [Theory]
    [InlineData("none")]
    [InlineData("client_secret_basic")]
    public async Task Forgotten_client_is_registered_again_while_the_user_sees_an_error_page(string method)
    {
        await using var scene = await SignInFixture.SignedInAsync(new() { TokenEndpointAuthMethods = [method] });
        scene.Issuer.Server.ForgetClients();
        await scene.LoginAsync();
        Assert.Contains(scene.Person.Notices, n => n.Contains("no longer knows this client"));
        await scene.LoginAsync();
        Assert.Equal(2, scene.Issuer.Traffic.Count("/register"));
        Assert.Equal([302, 400, 302, 302], scene.Issuer.Traffic.To("/authorize").Select(r => r.StatusCode));
        Assert.Equal(4, scene.Person.Visited.Count);
    }

    [Fact]
    public async Task Probe_for_a_forgotten_client_is_sent_after_a_delay_without_secrets()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Traffic.Clear();
        await scene.LoginAsync();
        Assert.Single(scene.Issuer.Traffic.To("/token"));
        Hesitate(scene);
        await scene.LoginAsync();
        var (question, exchange) = (scene.Issuer.Traffic.To("/token")[1], scene.Issuer.Traffic.To("/token")[2]);
        Assert.Equal(400, question.StatusCode);
        Assert.NotEqual(question.FormValue("code"), exchange.FormValue("code"));
        Assert.Equal(["client_id", "code", "grant_type", "redirect_uri"], question.Form.Keys.Order());
        Assert.Equal(0, scene.Issuer.Traffic.Count("/register"));
    }

    [Theory]
    [InlineData(503, "")]
    [InlineData(400, """{"error":"invalid_request"}""")]
    [InlineData(404, "<html>")]
    [InlineData(307, "")]
    [InlineData(200, "[]")]
    [InlineData(0, "")]
    public async Task Issuer_that_does_not_answer_the_probe_keeps_the_client(int status, string body)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        Hesitate(scene);
        if (status == 0)
        {
            scene.Issuer.Faults.Hang("/token", times: 1);
        }
        else
        {
            scene.Issuer.Faults.Answer("/token", status, body, times: 1);
        }
        await scene.LoginAsync();
        Assert.Equal(1, scene.Issuer.Traffic.Count("/register"));
        Assert.Equal(3, scene.Issuer.Traffic.Count("/token"));
    }

    [Fact]
    public async Task Client_forgotten_during_the_sign_in_is_registered_again_once()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Traffic.Clear();
        scene.Issuer.Faults.Before("/token", _ =>
        {
            if (scene.Issuer.Traffic.Count("/token") == 1)
            {
                scene.Issuer.Server.ForgetClients();
            }
            return Task.CompletedTask;
        });
        await scene.LoginAsync();
        Assert.Equal((1, 2), (scene.Issuer.Traffic.Count("/register"), scene.Issuer.Traffic.Count("/authorize")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task New_registration_that_is_unknown_is_not_repeated(bool hasKept)
    {
        await using var scene = hasKept ? await SignInFixture.SignedInAsync() : await SignInFixture.StartAsync();
        scene.Issuer.Traffic.Clear();
        scene.Issuer.Faults.Answer("/token", 401, Forgotten);
        Assert.Equal(ErrorReason.ClientRejected, (await scene.FailsAsync()).Reason);
        Assert.Equal((1, hasKept ? 2 : 1), (scene.Issuer.Traffic.Count("/register"), scene.Issuer.Traffic.Count("/authorize")));
    }

    [Fact]
    public async Task Client_of_the_user_is_never_registered_again()
    {
        const string document = "https://client.example/mcpsm.json";
        await using var scene = await SignInFixture.StartAsync(new() { SupportsClientIdMetadataDocuments = true },
            server: s => new(s) { ClientMetadataUrl = document });
        scene.Issuer.Faults.Answer("/token", 401, Forgotten);
        Assert.Equal(ErrorReason.ClientRejected, (await scene.FailsAsync()).Reason);
        Assert.Equal((0, 1), (scene.Issuer.Traffic.Count("/register"), scene.Issuer.Traffic.Count("/authorize")));
    }

    [Rule(35)]
    [Fact]
    public async Task Probe_for_a_client_with_bound_tokens_has_a_proof()
    {
        await using var scene = await SignInFixture.StartAsync(new() { SupportsDPoP = true });
        scene.Resource.DPoP = new DPoPProofs(TimeProvider.System, requireNonce: false);
        scene.Issuer.Faults.RewriteJson("/register", json => json["dpop_bound_access_tokens"] = true);
        await scene.LoginAsync();
        scene.Issuer.Server.ForgetClients();
        // This issuer checks the proof before the client.
        scene.Issuer.Faults.Intercept("/token", context =>
        {
            var isProven = context.Request.Headers.ContainsKey("DPoP");
            context.Response.StatusCode = isProven ? 401 : 400;
            return context.Response.WriteAsync(isProven ? Forgotten : """{"error":"invalid_dpop_proof"}""");
        }, times: 1);
        await scene.LoginAsync();
        Assert.Equal(2, scene.Issuer.Traffic.Count("/register"));
    }

    [Rule(37)]
    [Fact]
    public async Task Unknown_client_at_the_device_endpoint_is_registered_again()
    {
        await using var scene = await SignInFixture.StartAsync(new() { SupportsDeviceCode = true }, clock: new ManualTimeProvider());
        scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, true));
        static SignInOptions ByDevice(SignInOptions o) => o with { UseDeviceCode = true };
        await scene.LoginAsync(ByDevice);
        scene.Issuer.Server.ForgetClients();
        await scene.LoginAsync(ByDevice);
        await scene.LoginAsync(ByDevice);
        Assert.Equal((2, 4), (scene.Issuer.Traffic.Count("/register"), scene.Issuer.Traffic.Count("/device_authorization")));
    }

    [Fact]
    public async Task Renewal_with_a_forgotten_client_drops_the_refresh_token()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Server.ForgetClients();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal((ErrorReason.RefreshTokenRejected, "invalid_client"), (e.Reason, e.OAuthError));
        scene.Issuer.Traffic.Clear();
        await scene.LoginAsync();
        Assert.Equal(1, scene.Issuer.Traffic.Count("/register"));
        Assert.Single(scene.Issuer.Traffic.To("/token"));
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    /// <summary>Lets the user wait longer than the delay before the probe.</summary>
    private static void Hesitate(SignInFixture scene) => scene.Person.Browse = async url =>
    {
        await Task.Delay(TimeSpan.FromSeconds(8));
        using var answer = await StandInBrowser.ClickThroughAsync(url, cancellationToken: CancellationToken.None);
    };
}

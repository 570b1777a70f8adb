using McpSm.Core.Errors;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.Registration;

/// <summary>An issuer that no longer knows a client that had registered itself there.</summary>
public sealed class ForgottenClientTests
{
    private const string Forgotten = """{"error":"invalid_client"}""";

    [Theory]
    [InlineData("none")]
    [InlineData("client_secret_basic")]
    public async Task It_is_registered_anew_once_where_the_person_is_on_an_error_page(string method)
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
    public async Task The_question_whether_it_is_known_is_asked_where_the_answer_stays_away_and_shows_nothing_of_worth()
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
    public async Task An_issuer_that_does_not_tell_is_signed_in_to_with_the_client_that_is_kept(int status, string body)
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
    public async Task One_that_is_forgotten_while_the_person_signs_in_is_registered_anew_once()
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
    public async Task One_that_was_registered_just_now_and_is_not_known_is_not_registered_again(bool hasKept)
    {
        await using var scene = hasKept ? await SignInFixture.SignedInAsync() : await SignInFixture.StartAsync();
        scene.Issuer.Traffic.Clear();
        scene.Issuer.Faults.Answer("/token", 401, Forgotten);
        Assert.Equal(ErrorReason.ClientRejected, (await scene.FailsAsync()).Reason);
        Assert.Equal((1, hasKept ? 2 : 1), (scene.Issuer.Traffic.Count("/register"), scene.Issuer.Traffic.Count("/authorize")));
    }

    [Fact]
    public async Task A_client_that_the_user_supplied_is_never_registered_anew()
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
    public async Task Of_one_whose_tokens_are_bound_the_question_comes_with_a_proof()
    {
        await using var scene = await SignInFixture.StartAsync(new() { SupportsDPoP = true });
        scene.Resource.DPoP = new DPoPProofs(TimeProvider.System, requireNonce: false);
        scene.Issuer.Faults.RewriteJson("/register", json => json["dpop_bound_access_tokens"] = true);
        await scene.LoginAsync();
        scene.Issuer.Server.ForgetClients();
        // An issuer that looks for the proof before it looks at the client.
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
    public async Task The_device_endpoint_says_so_too()
    {
        await using var scene = await SignInFixture.StartAsync(new() { SupportsDeviceCode = true }, clock: new ManualTimeProvider());
        scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, true));
        SignInOptions ByDevice(SignInOptions o) => o with { UseDeviceCode = true };
        await scene.LoginAsync(ByDevice);
        scene.Issuer.Server.ForgetClients();
        await scene.LoginAsync(ByDevice);
        await scene.LoginAsync(ByDevice);
        Assert.Equal((2, 4), (scene.Issuer.Traffic.Count("/register"), scene.Issuer.Traffic.Count("/device_authorization")));
    }

    [Fact]
    public async Task A_renewal_that_learns_of_it_loses_the_refresh_token_and_the_next_sign_in_registers_anew()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Server.ForgetClients();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.RenewAsync(scene.Server, default));
        Assert.Equal((ErrorReason.RefreshTokenRejected, "invalid_client"), (e.Reason, e.OAuthError));
        scene.Issuer.Traffic.Clear();
        await scene.LoginAsync();
        Assert.Equal(1, scene.Issuer.Traffic.Count("/register"));
        Assert.Single(scene.Issuer.Traffic.To("/token"));
        await scene.Authenticator.RenewAsync(scene.Server, default);
    }

    /// <summary>A person who takes longer than an issuer that asks nothing.</summary>
    private static void Hesitate(SignInFixture scene) => scene.Person.Browse = async url =>
    {
        await Task.Delay(TimeSpan.FromSeconds(8));
        using var answer = await StandInBrowser.ClickThroughAsync(url, cancellationToken: CancellationToken.None);
    };
}

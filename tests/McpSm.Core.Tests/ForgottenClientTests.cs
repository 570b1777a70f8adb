using McpSm.Core.Errors;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests;

/// <summary>An issuer that no longer knows a client that had registered itself there.</summary>
public sealed class ForgottenClientTests
{
    private const string Forgotten = """{"error":"invalid_client"}""";

    [Theory]
    [InlineData("none")]
    [InlineData("client_secret_basic")]
    public async Task It_is_registered_anew_once_before_a_person_is_sent_to_an_error_page(string method)
    {
        await using var scene = await Scene.SignedInAsync(new() { TokenEndpointAuthMethods = [method] });
        scene.Issuer.Server.ForgetClients();
        await scene.LoginAsync();
        await scene.LoginAsync();
        Assert.Equal(2, scene.Issuer.Traffic.Count("/register"));
        Assert.All(scene.Issuer.Traffic.To("/authorize"), r => Assert.Equal(302, r.StatusCode));
        Assert.Equal(3, scene.Person.Visited.Count);
    }

    [Fact]
    public async Task The_question_whether_it_is_known_shows_the_issuer_nothing_of_worth()
    {
        await using var scene = await Scene.SignedInAsync();
        scene.Issuer.Traffic.Clear();
        await scene.LoginAsync();
        var (question, exchange) = (scene.Issuer.Traffic.To("/token")[0], scene.Issuer.Traffic.To("/token")[1]);
        Assert.Equal(400, question.StatusCode);
        Assert.NotEqual(question.FormValue("code"), exchange.FormValue("code"));
        Assert.Equal(["client_id", "code", "grant_type", "redirect_uri"], question.Form.Keys.Order());
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
        await using var scene = await Scene.SignedInAsync();
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
    }

    [Fact]
    public async Task One_that_is_forgotten_while_the_person_signs_in_is_registered_anew_once()
    {
        await using var scene = await Scene.SignedInAsync();
        scene.Issuer.Traffic.Clear();
        scene.Issuer.Faults.Before("/token", _ =>
        {
            if (scene.Issuer.Traffic.Count("/token") == 2)
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
        await using var scene = hasKept ? await Scene.SignedInAsync() : await Scene.StartAsync();
        scene.Issuer.Traffic.Clear();
        scene.Issuer.Faults.Answer("/token", 401, Forgotten);
        Assert.Equal(ErrorReason.ClientRejected, (await scene.FailsAsync()).Reason);
        Assert.Equal((1, 1), (scene.Issuer.Traffic.Count("/register"), scene.Issuer.Traffic.Count("/authorize")));
    }

    [Fact]
    public async Task A_client_that_the_user_supplied_is_never_registered_anew()
    {
        const string document = "https://client.example/mcpsm.json";
        await using var scene = await Scene.StartAsync(new() { SupportsClientIdMetadataDocuments = true },
            server: s => s with { ClientMetadataUrl = document });
        scene.Issuer.Faults.Answer("/token", 401, Forgotten);
        Assert.Equal(ErrorReason.ClientRejected, (await scene.FailsAsync()).Reason);
        Assert.Equal((0, 1), (scene.Issuer.Traffic.Count("/register"), scene.Issuer.Traffic.Count("/authorize")));
    }

    [Fact]
    public async Task Rule_37_The_device_endpoint_says_so_too()
    {
        await using var scene = await Scene.StartAsync(new() { SupportsDeviceCode = true }, clock: new Clock());
        scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, true));
        ConnectOptions ByDevice(ConnectOptions o) => o with { UseDeviceCode = true };
        await scene.LoginAsync(ByDevice);
        scene.Issuer.Server.ForgetClients();
        await scene.LoginAsync(ByDevice);
        await scene.LoginAsync(ByDevice);
        Assert.Equal((2, 4), (scene.Issuer.Traffic.Count("/register"), scene.Issuer.Traffic.Count("/device_authorization")));
    }

    [Fact]
    public async Task A_renewal_that_learns_of_it_loses_the_refresh_token_and_the_next_sign_in_registers_anew()
    {
        await using var scene = await Scene.SignedInAsync();
        scene.Issuer.Server.ForgetClients();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.RenewAsync(scene.Server, default));
        Assert.Equal((ErrorReason.RefreshTokenRejected, "invalid_client"), (e.Reason, e.OAuthError));
        scene.Issuer.Traffic.Clear();
        await scene.LoginAsync();
        Assert.Equal(1, scene.Issuer.Traffic.Count("/register"));
        Assert.Single(scene.Issuer.Traffic.To("/token"));
        await scene.Authenticator.RenewAsync(scene.Server, default);
    }
}

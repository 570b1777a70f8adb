using System.Text.Json.Nodes;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.Credentials;

/// <summary>
/// Faulty token responses of real issuers, in every grant. Each causes one clear error, keeps the stored credential, and sends no secret
/// elsewhere.
/// </summary>
public sealed class FieldInteropTests
{
    private const string Secret = "PLANTED-s3cr3t";

    private static readonly Dictionary<string, (int Status, string Type, string Body, ErrorReason Reason)> Answers = new()
    {
        ["an error of status 200"] = Json("""{"error":"invalid_request","error_description":"no"}"""),
        ["an error of status 200 beside a token"] = Json("""{"error":"invalid_request","access_token":"broken","token_type":"Bearer"}"""),
        ["an empty access_token"] = Json("""{"access_token":"","token_type":"Bearer","refresh_token":"broken"}"""),
        ["a web page"] = (200, "text/html", "<!doctype html><title>Busy</title>", ErrorReason.TokenResponseInvalid),
        ["a redirect to another origin"] = (307, "text/plain", "", ErrorReason.ProtocolViolation),
    };

    private static (int, string, string, ErrorReason) Json(string body) => (200, "application/json", body, ErrorReason.TokenResponseInvalid);

    public static TheoryData<string, string> FaultsOfSignIns => new(Answers.Keys.SelectMany(fault =>
        new[] { "browser", "device", "client" }.Select(way => (fault, way))));

    public static TheoryData<string, bool> FaultsOfRenewals => new(Answers.Keys.SelectMany(fault =>
        new[] { false, true }.Select(client => (fault, client))));

    private static async Task<(SignInFixture Scene, TestIssuer Other)> StartAsync()
    {
        var scene = await SignInFixture.StartAsync(new()
        {
            SupportsDeviceCode = true,
            PreRegisteredClients = [new RegisteredClient("job", Secret, [], "client_secret_basic")],
        }, clock: new ManualTimeProvider());
        scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, true));
        return (scene, await TestIssuer.StartAsync());
    }

    private static Func<SignInOptions, SignInOptions> By(string way) => o => o with
    {
        UseDeviceCode = way == "device",
        ClientCredentials = way == "client" ? new ClientCredentials("job", Secret) : null,
    };

    private static void Answer(SignInFixture scene, string endpoint, string fault, TestIssuer other) => scene.Issuer.Faults.Intercept(endpoint, context =>
    {
        var (status, type, body, _) = Answers[fault];
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        if (status == 307)
        {
            context.Response.Headers.Location = other.Issuer + endpoint;
        }
        return context.Response.WriteAsync(body);
    });

    /// <summary>Returns the credential that the vault holds for the server.</summary>
    private static async Task<OAuthCredential?> StoredAsync(SignInFixture scene) =>
        (await scene.Work.Store.ReadAsync(scene.Server, default))?.OAuth;

    [FieldFault(4, 6, 10, 11)]
    [Theory]
    [MemberData(nameof(FaultsOfSignIns))]
    public async Task Token_response_fault_at_sign_in_is_one_error_and_stores_nothing(string fault, string way)
    {
        var (scene, other) = await StartAsync();
        await using var _ = scene;
        await using var __ = other;
        Answer(scene, "/token", fault, other);
        var e = await scene.FailsAsync(By(way));
        Assert.Equal((Answers[fault].Reason, "my-api"), (e.Reason, e.Server));
        Assert.NotNull(e.Remedy.InShell());
        Assert.DoesNotContain(Secret, e.ToString());
        Assert.Null(await StoredAsync(scene));
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
        Assert.Single(scene.Issuer.Traffic.To("/token"));
        Assert.Empty(other.Traffic.Requests);

        scene.Issuer.Faults.Clear();
        await scene.LoginAsync(By(way));
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
    }

    [FieldFault(4, 6, 10, 11)]
    [Theory]
    [MemberData(nameof(FaultsOfRenewals))]
    public async Task Token_response_fault_at_renewal_is_one_error_and_keeps_the_token(string fault, bool client)
    {
        var (scene, other) = await StartAsync();
        await using var _ = scene;
        await using var __ = other;
        await scene.LoginAsync(By(client ? "client" : "browser"));
        var before = (await StoredAsync(scene))!;
        Answer(scene, "/token", fault, other);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal((Answers[fault].Reason, "my-api"), (e.Reason, e.Server));
        Assert.DoesNotContain(Secret, e.ToString());
        var after = (await StoredAsync(scene))!;
        // Assert.Equal would print the tokens when it fails.
        Assert.True((before.AccessToken, before.RefreshToken, before.ExpiresAt) == (after.AccessToken, after.RefreshToken, after.ExpiresAt));
        Assert.Equal(2, scene.Issuer.Traffic.Count("/token"));
        Assert.Empty(other.Traffic.Requests);

        scene.Issuer.Faults.Clear();
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.False((await StoredAsync(scene))!.AccessToken == before.AccessToken);
    }

    [FieldFault(8)]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Renewal_without_lifetime_clears_the_old_expiry(bool client)
    {
        var (scene, other) = await StartAsync();
        await using var _ = scene;
        await using var __ = other;
        await scene.LoginAsync(By(client ? "client" : "browser"));
        Assert.NotNull(scene.Status.ExpiresAt);
        scene.Issuer.Faults.RewriteJson("/token", json => json.Remove("expires_in"));
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal((AuthState.Unknown, null), (scene.Status.State, scene.Status.ExpiresAt));
        Assert.Null((await StoredAsync(scene))!.ExpiresAt);
        await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.Equal(2, scene.Issuer.Traffic.Count("/token"));
    }

    [FieldFault(16)]
    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    public async Task Empty_error_member_in_a_response_is_ignored(string error)
    {
        await using var scene = await SignInFixture.StartAsync();
        foreach (var endpoint in new[] { "/register", "/token" })
        {
            scene.Issuer.Faults.RewriteJson(endpoint, json => (json["error"], json["error_description"]) = (JsonNode.Parse(error), null));
        }
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [FieldFault(17)]
    [Theory]
    [InlineData("application/json; charset=utf8")]
    [InlineData("application/json;charset=windows-1252")]
    [InlineData("application/json; charset=\"none such\"")]
    public async Task Response_with_unknown_charset_is_read(string type)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.Before("/", context =>
        {
            context.Response.OnStarting(() =>
            {
                context.Response.ContentType = type;
                return Task.CompletedTask;
            });
            return Task.CompletedTask;
        });
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Null((await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation)).RevocationFailure);
    }

    [FieldFault(19)]
    [Theory]
    [InlineData(503, """{"error":"Service Unavailable"}""")]
    [InlineData(500, """{"timestamp":1795600000,"status":500,"error":"Internal Server Error","path":"/token"}""")]
    [InlineData(429, """{"error":"too_many_requests","error_description":"Global limit has been reached"}""")]
    public async Task Issuer_that_is_unavailable_is_reported_whatever_its_error_text(int status, string body)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Faults.Answer("/token", status, body, times: 1);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal((ErrorReason.ServerUnreachable, "Try again later.", status), (e.Reason, e.Remedy.InShell(), e.StatusCode));
        Assert.True(scene.Status.CanRenew);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [FieldFault(11)]
    [Fact]
    public async Task Redirect_of_device_endpoint_to_another_origin_is_not_followed()
    {
        var (scene, other) = await StartAsync();
        await using var _ = scene;
        await using var __ = other;
        Answer(scene, "/device_authorization", "a redirect to another origin", other);
        Assert.Equal(ErrorReason.ProtocolViolation, (await scene.FailsAsync(By("device"))).Reason);
        Assert.Null(await StoredAsync(scene));
        Assert.Empty(other.Traffic.Requests);
    }

    [FieldFault(12)]
    [Fact]
    public async Task Redirect_of_revocation_to_another_origin_is_not_followed()
    {
        var (scene, other) = await StartAsync();
        await using var _ = scene;
        await using var __ = other;
        await scene.LoginAsync();
        Answer(scene, "/revoke", "a redirect to another origin", other);
        Assert.NotNull((await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation)).RevocationFailure);
        Assert.Null(await StoredAsync(scene));
        Assert.Equal(2, scene.Issuer.Traffic.Count("/revoke"));
        Assert.Empty(other.Traffic.Requests);
    }

    [FieldFault(13)]
    [Fact]
    public async Task Metadata_redirected_to_another_origin_is_fetched_without_secrets()
    {
        var (scene, other) = await StartAsync();
        await using var _ = scene;
        await using var __ = other;
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new() { Headers = new Dictionary<string, string> { ["X-Key"] = Secret } }, Cancellation);
        Move(scene.Resource.Faults, "/.well-known/oauth-protected-resource",
            $$"""{"resource":"{{scene.Resource.Resource}}","authorization_servers":["{{scene.Issuer.Issuer}}"]}""");
        Move(scene.Issuer.Faults, "/.well-known/oauth-authorization-server",
            $$"""{"issuer":"{{scene.Issuer.Issuer}}","token_endpoint":"{{scene.Issuer.Issuer}}/token"}""");
        await scene.LoginAsync(By("client"));
        Assert.Equal(["/.well-known/oauth-protected-resource", "/.well-known/oauth-authorization-server"], other.Traffic.Requests.Select(r => r.Path));
        Assert.All(other.Traffic.Requests, r =>
        {
            Assert.Null(r.Header("Authorization"));
            Assert.DoesNotContain(Secret, string.Join('\n', r.Headers.Values) + r.QueryString + r.Body);
        });

        void Move(Faults faults, string path, string document)
        {
            faults.Intercept(path, context =>
            {
                context.Response.Redirect(other.Issuer + path);
                return Task.CompletedTask;
            });
            other.Faults.Answer(path, 200, document);
        }
    }
}

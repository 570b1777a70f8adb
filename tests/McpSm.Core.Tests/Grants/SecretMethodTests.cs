using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Management;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.Grants;

/// <summary>Issuers that advertise two methods for a client's secret but accept only one (RFC 6749 section 2.3.1).</summary>
public sealed class SecretMethodTests
{
    private const string Basic = ClientIdentity.Basic;
    private const string Post = ClientIdentity.Post;

    private static readonly string[] Both = [Basic, Post];

    /// <summary>Makes the endpoints accept only this method, whatever the client is registered for.</summary>
    private static void Read(SignInFixture scene, string method, string error = "invalid_client", int status = 401)
    {
        foreach (var path in new[] { "/token", "/device_authorization" })
        {
            scene.Issuer.Faults.Before(path, context =>
            {
                if (MethodOf(scene.Issuer.Traffic.To(path)[^1]) != method)
                {
                    scene.Issuer.Faults.Answer(path, status,
                        error.Length == 0 ? "" : $$"""{"error":"{{error}}","error_description":"client_id is missing"}""", times: 1);
                }
                return Task.CompletedTask;
            });
        }
    }

    private static string MethodOf(RecordedRequest request) => request.Header("Authorization") is not null ? Basic : Post;

    private static IEnumerable<string> Methods(SignInFixture scene, string path = "/token") => scene.Issuer.Traffic.To(path).Select(MethodOf);

    /// <summary>Starts a fixture whose issuer knows a client of the user, which authenticates by this method.</summary>
    private static async Task<(SignInFixture Scene, int Port)> WithOwnClientAsync(string method, params string[] advertised)
    {
        var port = FreePort.Find();
        var scene = await SignInFixture.StartAsync(new()
        {
            SupportsDeviceCode = true,
            TokenEndpointAuthMethods = advertised,
            PreRegisteredClients = [new RegisteredClient("mine", "5up3r-s3cr3t", [$"http://127.0.0.1:{port}/callback"], method)],
        }, server: s => new(s) { ClientId = "mine" }, clock: new ManualTimeProvider());
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { ClientSecret = "5up3r-s3cr3t" }, default);
        return (scene, port);
    }

    [FieldFault(35)]
    [Rule(13, 14)]
    [Theory]
    [InlineData(Post, "invalid_client", 401)]
    [InlineData(Post, "invalid_client", 400)]
    [InlineData(Post, "invalid_request", 400)]
    [InlineData(Post, "", 401)]
    [InlineData(Basic, "invalid_client", 401)]
    public async Task New_registration_tries_the_other_method_with_the_same_code(string read, string error, int status)
    {
        await using var scene = await SignInFixture.StartAsync(new() { TokenEndpointAuthMethods = Both });
        // The issuer registers the method that it does not accept.
        var registered = read == Basic ? Post : Basic;
        scene.Issuer.Faults.RewriteJson("/register", json => json["token_endpoint_auth_method"] = registered);
        Read(scene, read, error, status);
        if (read == Post)
        {
            // The test issuer enforces the registered method, so it has to register the method that the endpoints accept.
            scene.Issuer.Faults.Before("/register", context => Rewrite(context, Post));
        }
        await scene.LoginAsync();
        Assert.Equal([registered, read], Methods(scene));
        Assert.Single(scene.Issuer.Traffic.To("/token").Select(r => r.FormValue("code")).Distinct());
        Assert.Single(scene.Person.Visited);
        Assert.Equal(1, scene.Issuer.Traffic.Count("/register"));

        // The method is stored with the registration and with the credential.
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        await scene.LoginAsync();
        Assert.Equal([registered, read, read, read], Methods(scene));
    }

    [FieldFault(35)]
    [Rule(13)]
    [Theory]
    [InlineData(Basic, Post)]
    [InlineData(Post, Basic, Post)]
    [InlineData(Post)]
    public async Task Client_of_the_user_keeps_the_method_that_worked(string method, params string[] advertised)
    {
        var (scene, port) = await WithOwnClientAsync(method, [.. advertised.Union([Basic, Post])]);
        await using var _ = scene;
        if (advertised.Length == 0)
        {
            scene.Issuer.Faults.RewriteJson("/.well-known", json => json.Remove("token_endpoint_auth_methods_supported"));
        }
        SignInOptions Here(SignInOptions o) => o with { CallbackPort = port };
        await scene.LoginAsync(Here);
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        await scene.LoginAsync(Here);
        Assert.Equal([.. method == Basic ? Array.Empty<string>() : [Basic], method, method, method], Methods(scene));
    }

    [Rule(13)]
    [Fact]
    public async Task Secret_is_not_sent_by_a_method_that_is_not_advertised()
    {
        var (scene, port) = await WithOwnClientAsync(Post, Basic, Post);
        await using var _ = scene;
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["token_endpoint_auth_methods_supported"] = new System.Text.Json.Nodes.JsonArray(Basic));
        var e = await scene.FailsAsync(o => o with { CallbackPort = port });
        Assert.Equal((ErrorReason.ClientRejected, "invalid_client"), (e.Reason, e.OAuthError));
        Assert.Equal([Basic], Methods(scene));
    }

    [Rule(13)]
    [Fact]
    public async Task Wrong_secret_is_tried_twice_and_the_first_refusal_is_reported()
    {
        var (scene, port) = await WithOwnClientAsync(Basic, Basic, Post);
        await using var _ = scene;
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { ClientSecret = "another-secret" }, Cancellation);
        var e = await scene.FailsAsync(o => o with { CallbackPort = port });
        Assert.Equal(ErrorReason.ClientRejected, e.Reason);
        Assert.Contains("the client secret is wrong", e.Message);
        Assert.DoesNotContain("another-secret", e.ToString());
        Assert.Equal([Basic, Post], Methods(scene));
    }

    [Rule(13)]
    [Theory]
    [InlineData("invalid_grant", 400)]
    [InlineData("unauthorized_client", 400)]
    [InlineData("invalid_request", 400)]
    [InlineData("server_error", 503)]
    public async Task Other_refusal_does_not_try_the_other_method(string error, int status)
    {
        var (scene, port) = await WithOwnClientAsync(Basic, Basic, Post);
        await using var _ = scene;
        scene.Issuer.Faults.Answer("/token", status, $$"""{"error":"{{error}}","error_description":"redirect_uri differs"}""");
        await scene.FailsAsync(o => o with { CallbackPort = port });
        Assert.Equal([Basic], Methods(scene));
    }

    [Rule(13, 23)]
    [Fact]
    public async Task Renewal_with_a_proven_method_does_not_try_the_other()
    {
        var (scene, port) = await WithOwnClientAsync(Basic, Basic, Post);
        await using var _ = scene;
        await scene.LoginAsync(o => o with { CallbackPort = port });
        scene.Issuer.Faults.Answer("/token", 401, """{"error":"invalid_client"}""");
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal([Basic, Basic], Methods(scene));
    }

    [Rule(33)]
    [Fact]
    public async Task Client_grant_tries_the_other_method_and_keeps_it()
    {
        var (scene, _) = await WithOwnClientAsync(Post, Basic, Post);
        await using var __ = scene;
        static SignInOptions AsClient(SignInOptions o) => o with { ClientCredentials = new ClientCredentials("mine", "5up3r-s3cr3t") };
        await scene.LoginAsync(AsClient);
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        await scene.LoginAsync(AsClient);
        Assert.Equal([Basic, Post, Post, Post], Methods(scene));
    }

    [Rule(37)]
    [Fact]
    public async Task Device_endpoint_is_tried_with_the_other_method()
    {
        var (scene, _) = await WithOwnClientAsync(Post, Basic, Post);
        await using var __ = scene;
        scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, true));
        await scene.LoginAsync(o => o with { UseDeviceCode = true });
        Assert.Equal([Basic, Post], Methods(scene, "/device_authorization"));
        Assert.All(Methods(scene), m => Assert.Equal(Post, m));
        Assert.Equal(Post, (await scene.Work.Store.ReadAsync(scene.Server, Cancellation))!.OAuth!.Client.AuthMethod);
    }

    /// <summary>Makes the issuer register another method than the requested one.</summary>
    private static async Task Rewrite(HttpContext context, string method)
    {
        using var reader = new StreamReader(context.Request.Body, leaveOpen: true);
        var asked = System.Text.Json.Nodes.JsonNode.Parse(await reader.ReadToEndAsync(context.RequestAborted))!.AsObject();
        asked["token_endpoint_auth_method"] = method;
        context.Request.Body = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(asked.ToJsonString()));
    }
}

using System.Text;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Grants;

/// <summary>A client that signs in with a secret, without a user.</summary>
public sealed class ClientCredentialsTests
{
    private const string Secret = "5up3r:s3cr3t +ä/%";

    private static readonly ClientCredentials Job = new("job", Secret);

    private static AuthorizationServerOptions IssuerWith(string method = "client_secret_basic", string secret = Secret) => new()
    {
        TokenEndpointAuthMethods = ["none", method],
        PreRegisteredClients = [new RegisteredClient("job", secret, [], method)],
    };

    /// <summary>Starts a fixture without a user.</summary>
    private static async Task<SignInFixture> StartAsync(AuthorizationServerOptions? issuer = null, Func<McpServer, McpServer>? server = null,
        ManualTimeProvider? clock = null, TestMcpServerOptions? resource = null)
    {
        var scene = await SignInFixture.StartAsync(issuer ?? IssuerWith(), resource, server, clock);
        scene.Person.CanAnswer = false;
        return scene;
    }

    private static SignInOptions AsJob(SignInOptions o) => o with { ClientCredentials = Job };

    private static SignInOptions AsKnown(SignInOptions o) => o with { ClientCredentials = new ClientCredentials() };

    [Rule(8, 20, 33)]
    [Theory]
    [InlineData("client_secret_basic")]
    [InlineData("client_secret_post")]
    public async Task Client_grant_is_one_request_by_the_advertised_method(string method)
    {
        await using var scene = await StartAsync(IssuerWith(method));
        var result = await scene.LoginAsync(AsJob);
        Assert.Equal((AuthState.Authenticated, true, null), (result.Status.State, result.Status.CanRenew, result.VerificationFailure));
        var request = Assert.Single(scene.Issuer.Traffic.To("/token"));
        Assert.Equal("client_credentials", request.FormValue("grant_type"));
        Assert.Equal(scene.Resource.McpUrl.AbsoluteUri, request.FormValue("resource"));
        Assert.Equal("mcp:tools", request.FormValue("scope"));
        Assert.Equal(method == "client_secret_basic", request.Header("Authorization") is not null);
        Assert.Equal(method == "client_secret_post" ? Secret : null, request.FormValue("client_secret"));
        Assert.Empty(scene.Issuer.Traffic.To("/authorize"));
        Assert.Empty(scene.Issuer.Traffic.To("/register"));
        Assert.Empty(scene.Person.Visited);
        Assert.True((await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(20), Cancellation)).Success);
    }

    [Rule(25, 33)]
    [Fact]
    public async Task Client_grant_does_not_need_PKCE()
    {
        await using var scene = await StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json =>
        {
            json.Remove("code_challenge_methods_supported");
            json.Remove("authorization_endpoint");
        });
        await scene.LoginAsync(AsJob);
        scene.Person.CanAnswer = true;
        Assert.Equal(ErrorReason.PkceUnsupported, (await scene.FailsAsync()).Reason);
    }

    [Rule(6, 27, 33)]
    [Theory]
    [InlineData("{\"issuer\":\"https://evil.example\"}", ErrorReason.IssuerMismatch)]
    [InlineData("{\"token_endpoint\":\"http://issuer.example/token\"}", ErrorReason.UnsafeEndpoint)]
    public async Task Discovery_for_a_client_is_as_strict_as_for_a_user(string change, ErrorReason reason)
    {
        await using var scene = await StartAsync();
        var (name, value) = System.Text.Json.Nodes.JsonNode.Parse(change)!.AsObject().Single();
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json[name] = value!.DeepClone());
        Assert.Equal(reason, (await scene.FailsAsync(AsJob)).Reason);
        Assert.Empty(scene.Issuer.Traffic.To("/token"));
    }

    [FieldFault(11)]
    [Rule(30, 33)]
    [Fact]
    public async Task Redirect_of_the_token_endpoint_does_not_get_the_secret()
    {
        await using var scene = await StartAsync();
        await using var other = await TestMcpServer.StartAsync();
        scene.Issuer.Faults.Intercept("/token", context =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = other.McpUrl.AbsoluteUri;
            return Task.CompletedTask;
        });
        Assert.Equal(ErrorReason.ProtocolViolation, (await scene.FailsAsync(AsJob)).Reason);
        Assert.Empty(other.Traffic.Requests);
    }

    [Rule(10, 33)]
    [Fact]
    public async Task Refresh_token_is_neither_requested_nor_stored()
    {
        await using var scene = await StartAsync(IssuerWith() with { ScopesSupported = ["mcp:tools", "offline_access"] });
        scene.Issuer.Faults.RewriteJson("/token", json => json["refresh_token"] = "PLANTED");
        await scene.LoginAsync(AsJob);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal(["mcp:tools", "mcp:tools"], scene.Issuer.Traffic.To("/token").Select(r => r.FormValue("scope")));
        Assert.Empty(scene.Issuer.Traffic.OfGrant("refresh_token"));
    }

    [Rule(33)]
    [Fact]
    public async Task Client_renewal_in_many_processes_repeats_the_grant_once()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await StartAsync(clock: clock);
        await scene.LoginAsync(AsJob);
        var first = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal((AuthState.Expired, "mcpsm auth refresh my-api"), (scene.Status.State, scene.Status.Remedy));
        var server = scene.Server;
        scene.Issuer.Faults.Delay("/token", TimeSpan.FromMilliseconds(200));
        var tokens = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => scene.Work.New().Tokens.GetTokenAsync(server, default))));
        Assert.NotEqual(first, Assert.Single(tokens.Distinct()));
        var requests = scene.Issuer.Traffic.OfGrant("client_credentials");
        Assert.Equal(2, requests.Count);
        Assert.Equal(requests[0].Body, requests[1].Body);
    }

    [Rule(33)]
    [Fact]
    public async Task Token_refused_by_the_server_repeats_the_grant()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync(AsJob);
        scene.Issuer.Server.RevokeAllTokens();
        Assert.True((await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(20), Cancellation)).Success);
        Assert.Equal(2, scene.Issuer.Traffic.OfGrant("client_credentials").Count);
    }

    [Fact]
    public async Task Lost_response_of_a_client_grant_is_not_uncertain()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync(AsJob);
        scene.Issuer.Faults.DropConnectionAfterHandling("/token", times: 1);
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal((false, true), (scene.Status.RenewalUncertain, scene.Status.CanRenew));
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [Fact]
    public async Task Client_refused_at_sign_in_keeps_the_earlier_credential()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync(AsJob);
        var before = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        var e = await scene.FailsAsync(o => o with { ClientCredentials = new ClientCredentials("job", "WRONG-s3cret") });
        Assert.Equal(ErrorReason.ClientRejected, e.Reason);
        Assert.DoesNotContain("s3cret", e.ToString());
        Assert.Equal(before, await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
    }

    [Fact]
    public async Task Client_refused_at_renewal_has_a_remedy_and_is_tried_again_later()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync(AsJob);
        scene.Issuer.Faults.Answer("/token", 401, """{"error":"invalid_client"}""", times: 1);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal((ErrorReason.ClientRejected, "mcpsm auth login my-api --client-credentials"), (e.Reason, e.Remedy.InShell()));
        Assert.True(scene.Status.CanRenew);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [Rule(15)]
    [Fact]
    public async Task Client_secret_is_sent_to_a_second_issuer_only_if_the_user_names_it()
    {
        await using var scene = await StartAsync();
        await using var second = await TestIssuer.StartAsync(IssuerWith());
        await scene.LoginAsync(AsJob);
        scene.Resource.Issuers = [second.Issuer];
        scene.Resource.Introspect = second.Server.Introspect;
        var e = await scene.FailsAsync(AsJob);
        Assert.Equal((ErrorReason.IssuerMismatch, "If that is right: mcpsm server update my-api --issuer <url>"), (e.Reason, e.Remedy.InShell()));
        Assert.Empty(second.Traffic.To("/token"));
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { Issuer = second.Issuer }, Cancellation);
        await scene.LoginAsync(AsJob);
        Assert.Equal(second.Issuer, scene.Status.Issuer);
    }

    [Rule(15)]
    [Fact]
    public async Task Client_stays_bound_to_its_issuer_if_the_server_names_another()
    {
        await using var scene = await StartAsync();
        await using var second = await TestIssuer.StartAsync(IssuerWith());
        await scene.LoginAsync(AsJob);
        scene.Resource.Issuers = [second.Issuer];
        scene.Resource.Introspect = second.Server.Introspect;
        Assert.Equal(ErrorReason.IssuerMismatch, (await scene.FailsAsync(AsJob)).Reason);
        Assert.Empty(second.Traffic.To("/token"));
    }

    [Fact]
    public async Task Client_secret_is_stored_only_in_the_vault()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync(AsJob);
        foreach (var file in Directory.EnumerateFiles(scene.Work.Folder, "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain("s3cr3t", Encoding.Latin1.GetString(File.ReadAllBytes(file)));
        }
    }

    [Rule(38)]
    [Fact]
    public async Task Sign_out_revokes_the_token_and_deletes_the_secret()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync(AsJob);
        Assert.Null((await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation)).RevocationFailure);
        Assert.DoesNotContain(scene.Issuer.Server.IssuedTokens, t => t.State == TokenState.Active);
        Assert.Equal(ErrorReason.InvalidValue, (await scene.FailsAsync(AsKnown)).Reason);
    }

    [Fact]
    public async Task Stored_client_signs_in_only_on_request()
    {
        await using var scene = await StartAsync(server: s => new(s) { ClientId = "job" });
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { ClientSecret = Secret }, Cancellation);
        Assert.Equal(ErrorReason.InteractionRequired, (await scene.FailsAsync()).Reason);
        await scene.LoginAsync(AsKnown);
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
    }

    [Fact]
    public async Task Client_secret_that_the_user_replaces_is_used_by_the_next_renewal()
    {
        await using var scene = await StartAsync(IssuerWith(secret: "new"), server: s => new(s) { ClientId = "job" });
        scene.Issuer.Faults.Answer("/token", 200, """{"access_token":"old","token_type":"Bearer"}""", times: 1);
        scene.Resource.AcceptedTokens["old"] = true;
        await scene.LoginAsync(o => o with { ClientCredentials = new ClientCredentials(Secret: "old") });
        await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { ClientSecret = "new" }, Cancellation);
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [Fact]
    public async Task Client_signs_in_again_without_a_user()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync(AsJob);
        await scene.LoginAsync();
        await scene.LoginAsync(AsKnown);
        Assert.Equal(3, scene.Issuer.Traffic.OfGrant("client_credentials").Count);
        scene.Person.CanAnswer = true;
        await scene.LoginAsync();
        Assert.Single(scene.Issuer.Traffic.OfGrant("authorization_code"));
    }

    [Fact]
    public async Task Client_variables_are_used_without_a_user_for_a_named_server()
    {
        await using var scene = await StartAsync();
        scene.Work.Variables["MCPSM_CLIENT_ID"] = "job";
        scene.Work.Variables["MCPSM_CLIENT_SECRET"] = Secret;
        Assert.Equal(ErrorReason.InteractionRequired, (await scene.FailsAsync(o => o with { UseDeviceCode = true })).Reason);
        await scene.LoginAsync();
        Assert.Single(scene.Issuer.Traffic.OfGrant("client_credentials"));
    }

    [Rule(15)]
    [Fact]
    public async Task Client_variables_are_not_used_for_an_unnamed_server_without_that_client()
    {
        await using var scene = await StartAsync();
        scene.Work.Variables["MCPSM_CLIENT_ID"] = "job";
        scene.Work.Variables["MCPSM_CLIENT_SECRET"] = Secret;
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.SignIn.EnsureSignedInAsync(scene.Server, new(), Cancellation));
        Assert.Equal(ErrorReason.InteractionRequired, e.Reason);
        Assert.Empty(scene.Issuer.Traffic.Requests);
        await scene.ChangeServerAsync(s => new(s) { ClientId = "job" });
        Assert.Equal(SignInOutcome.SignedIn, (await scene.Authenticator.SignIn.EnsureSignedInAsync(scene.Server, new(), Cancellation)).Outcome);
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("other", false)]
    [InlineData("job", true)]
    public async Task Refused_client_is_replaced_by_the_variables_but_not_by_the_user(string? id, bool replaced)
    {
        var clock = new ManualTimeProvider();
        await using var scene = await StartAsync(clock: clock);
        await scene.LoginAsync(AsJob);
        clock.Advance(TimeSpan.FromHours(2));
        scene.Issuer.Faults.Answer("/token", 401, """{"error":"invalid_client"}""", times: 1);
        scene.Person.CanAnswer = true;
        if (id is not null)
        {
            scene.Work.Variables["MCPSM_CLIENT_ID"] = id;
            scene.Work.Variables["MCPSM_CLIENT_SECRET"] = "other than the one that is kept";
        }
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.SignIn.EnsureSignedInAsync(scene.Server, new(), Cancellation));
        Assert.Equal(ErrorReason.ClientRejected, e.Reason);
        Assert.Equal(replaced ? 3 : 2, scene.Issuer.Traffic.OfGrant("client_credentials").Count);
        Assert.Empty(scene.Person.Visited);
    }

    [Fact]
    public async Task Missing_client_explains_how_to_provide_one()
    {
        await using var scene = await StartAsync();
        var e = await scene.FailsAsync(AsKnown);
        Assert.Equal(ErrorReason.InvalidValue, e.Reason);
        Assert.Contains("MCPSM_CLIENT_ID and MCPSM_CLIENT_SECRET", e.Remedy.InShell());
        scene.Work.Variables["MCPSM_CLIENT_ID"] = "job";
        scene.Work.Variables["MCPSM_CLIENT_SECRET"] = Secret;
        scene.Work.Variables["MCPSM_CLIENT_KEY_FILE"] = "key.pem";
        Assert.Contains("cannot be combined", (await scene.FailsAsync(AsKnown)).Message);
        scene.Work.Variables.Remove("MCPSM_CLIENT_SECRET");
        Assert.Contains("it does not exist", (await scene.FailsAsync(AsKnown)).Message);
        Assert.Empty(scene.Issuer.Traffic.Requests);
    }
}

using System.Text;
using System.Text.Json.Nodes;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Management;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Entra;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Grants;

/// <summary>A workload that signs in with the assertion of its platform (RFC 7523 section 2.1).</summary>
public sealed class WorkloadTests
{
    private const string JwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";

    [Rule(8, 10, 20, 36)]
    [Theory]
    [InlineData("RS256", false)]
    [InlineData("ES256", true)]
    public async Task Workload_grant_is_one_request_with_assertion_resource_and_scope(string algorithm, bool variable)
    {
        await using var workload = await WorkloadFixture.StartAsync(algorithm);
        var scene = workload.Scene;
        var assertion = workload.Put();
        scene.Work.Variables["JOB_TOKEN"] = variable ? assertion : "";
        var source = variable ? WorkloadAssertionSource.FromVariable("JOB_TOKEN") : WorkloadAssertionSource.FromFile(workload.File);
        var result = await scene.LoginAsync(o => o with { ClientCredentials = new ClientCredentials(Assertion: source) });
        Assert.Equal((AuthState.Authenticated, true, null), (result.Status.State, result.Status.CanRenew, result.VerificationFailure));
        Assert.Equal(SignedInBy.Workload, scene.Status.SignedInBy);
        var request = Assert.Single(workload.Requests);
        Assert.Equal((JwtBearer, assertion), (request.FormValue("grant_type"), request.FormValue("assertion")));
        Assert.Equal(scene.Resource.McpUrl.AbsoluteUri, request.FormValue("resource"));
        Assert.Equal("mcp:tools", request.FormValue("scope"));
        Assert.Equal(["assertion", "grant_type", "resource", "scope"], request.Form.Keys.Order());
        Assert.Null(request.Header("Authorization"));
        Assert.Empty(scene.Issuer.Traffic.To("/register"));
        Assert.Empty(scene.Person.Visited);
        Assert.True((await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(20), Cancellation)).Success);
    }

    [Rule(36)]
    [Fact]
    public async Task Workload_renewal_in_many_processes_reads_the_new_assertion_once()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The links that the kubelet makes are of Unix.");
        var clock = new ManualTimeProvider();
        await using var workload = await WorkloadFixture.StartAsync(clock: clock, refuseReplays: true);
        var scene = workload.Scene;
        var projected = new ProjectedToken(Directory.CreateDirectory(Path.Combine(scene.Work.Folder, "volume")).FullName);
        projected.Put(workload.Platform.Sign(scene.Issuer.Issuer));
        await scene.LoginAsync(o => o with { ClientCredentials = new ClientCredentials(Assertion: WorkloadAssertionSource.FromFile(projected.File)) });
        var first = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal((AuthState.Expired, "mcpsm auth refresh my-api"), (scene.Status.State, scene.Status.Remedy));
        projected.Put(workload.Platform.Sign(scene.Issuer.Issuer));
        var server = scene.Server;
        scene.Issuer.Faults.Delay("/token", TimeSpan.FromMilliseconds(200));
        var tokens = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => scene.Work.New().Tokens.GetTokenAsync(server, default))));
        Assert.NotEqual(first, Assert.Single(tokens.Distinct()));
        Assert.Equal(2, workload.Requests.Count);
        Assert.Equal(2, workload.Requests.Select(r => r.FormValue("assertion")).Distinct().Count());
        Assert.Equal(workload.Requests[0].FormValue("resource"), workload.Requests[1].FormValue("resource"));
        Assert.Equal((AuthState.Authenticated, SignedInBy.Workload), (scene.Status.State, scene.Status.SignedInBy));
    }

    [Rule(36)]
    [Theory]
    [InlineData("aud", "\"https://other.example\"", "audience")]
    [InlineData("sub", "\"repo:octo/app:pull_request\"", "subject")]
    [InlineData("iss", "\"https://other.example\"", "issuer is not trusted")]
    [InlineData("exp", "1700000000", "expired")]
    [InlineData("nbf", "4000000000", "not valid yet")]
    [InlineData("sub", "null", "sub is missing")]
    public async Task Assertion_refused_by_the_issuer_ends_the_sign_in_with_one_request(string claim, string json, string text)
    {
        await using var workload = await WorkloadFixture.StartAsync();
        var scene = workload.Scene;
        scene.Person.CanAnswer = true;
        var assertion = workload.Put(workload.Platform.Sign(scene.Issuer.Issuer, claims => claims[claim] = JsonNode.Parse(json)));
        var e = await scene.FailsAsync(workload.As);
        Assert.Equal((ErrorReason.AssertionRejected, "invalid_grant", 400), (e.Reason, e.OAuthError, e.StatusCode));
        Assert.Contains(text, e.Message);
        Assert.Contains($"its audience is {scene.Issuer.Issuer}", e.Remedy.InShell());
        Assert.DoesNotContain(assertion, e.ToString());
        Assert.Single(workload.Requests);
        Assert.Empty(scene.Person.Visited);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Rule(36)]
    [Fact]
    public async Task Assertion_signed_by_another_platform_is_refused()
    {
        await using var workload = await WorkloadFixture.StartAsync();
        await using var other = await WorkloadPlatform.StartAsync("ES256");
        workload.Put(other.Sign(workload.Scene.Issuer.Issuer, claims => claims["iss"] = workload.Platform.Issuer));
        var e = await workload.Scene.FailsAsync(workload.As);
        Assert.Equal(ErrorReason.AssertionRejected, e.Reason);
        Assert.Contains("signature", e.Message);
    }

    [Rule(36)]
    [Theory]
    [InlineData(400, "unauthorized_client", ErrorReason.ClientRejected, "allows it the JWT bearer grant")]
    [InlineData(401, "invalid_client", ErrorReason.ClientRejected, "allows it the JWT bearer grant")]
    [InlineData(400, "invalid_scope", ErrorReason.InsufficientScope, "mcpsm server update my-api --scope ")]
    [InlineData(400, "unsupported_grant_type", ErrorReason.TokenResponseInvalid, "does not accept assertions of workloads")]
    [InlineData(400, "invalid_grant", ErrorReason.AssertionRejected, "has not expired")]
    [InlineData(503, "temporarily_unavailable", ErrorReason.ServerUnreachable, "")]
    public async Task Refused_assertion_is_not_followed_by_another_request(int status, string error, ErrorReason reason, string remedy)
    {
        await using var workload = await WorkloadFixture.StartAsync();
        var scene = workload.Scene;
        var assertion = workload.Put();
        scene.Issuer.Faults.Answer("/token", status, $$"""{"error":"{{error}}","error_description":"not {{assertion}}"}""");
        scene.Person.CanAnswer = true;
        using var http = scene.Open(signIn: true, client: workload.Workload);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.PingAsync(http, Cancellation));
        Assert.Equal((reason, error), (e.Reason, e.OAuthError));
        Assert.Contains(remedy, e.Remedy.InShell());
        Assert.DoesNotContain(assertion, e.ToString());
        Assert.Single(workload.Requests);
        Assert.Empty(scene.Person.Visited);
    }

    [Rule(36)]
    [Theory]
    [InlineData("invalid_grant", ErrorReason.AssertionRejected)]
    [InlineData("unauthorized_client", ErrorReason.ClientRejected)]
    public async Task Assertion_refused_at_renewal_is_reported_without_another_attempt(string error, ErrorReason reason)
    {
        var clock = new ManualTimeProvider();
        await using var workload = await WorkloadFixture.SignedInAsync(clock);
        var scene = workload.Scene;
        clock.Advance(TimeSpan.FromHours(2));
        scene.Issuer.Faults.Answer("/token", 400, $$"""{"error":"{{error}}"}""");
        scene.Person.CanAnswer = true;
        using (var http = scene.Open(signIn: true, client: workload.Workload))
        {
            Assert.Equal(reason, (await Assert.ThrowsAsync<McpAuthException>(() => scene.PingAsync(http, Cancellation))).Reason);
        }
        Assert.Equal(2, workload.Requests.Count);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.SignIn.EnsureSignedInAsync(scene.Server, new(), Cancellation));
        Assert.Equal((reason, $"mcpsm auth login my-api --assertion-file {workload.File}"), (e.Reason, e.Remedy.InShell()));
        Assert.Equal(3, workload.Requests.Count);
        Assert.Empty(scene.Person.Visited);

        // The refused request spent nothing: with a valid assertion, the renewal succeeds.
        scene.Issuer.Faults.Clear();
        workload.Put();
        Assert.Equal(SignInOutcome.Renewed, (await scene.Authenticator.SignIn.EnsureSignedInAsync(scene.Server, new(), Cancellation)).Outcome);
    }

    [Rule(36)]
    [Fact]
    public async Task Assertion_file_missing_at_renewal_is_named_and_nothing_is_sent()
    {
        var clock = new ManualTimeProvider();
        await using var workload = await WorkloadFixture.SignedInAsync(clock);
        clock.Advance(TimeSpan.FromHours(2));
        File.Delete(workload.File);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => workload.Scene.Authenticator.Tokens.GetTokenAsync(workload.Scene.Server, Cancellation));
        Assert.Equal(ErrorReason.AuthenticationRequired, e.Reason);
        Assert.Contains($"the file '{workload.File}': it does not exist", e.Message);
        Assert.Single(workload.Requests);
        Assert.True(workload.Scene.Status.CanRenew);
    }

    [Rule(36)]
    [Fact]
    public async Task Unexpected_refresh_token_is_not_stored()
    {
        await using var workload = await WorkloadFixture.StartAsync();
        workload.Scene.Issuer.Faults.RewriteJson("/token", json => json["refresh_token"] = "PLANTED");
        await workload.Scene.LoginAsync(workload.As);
        await workload.Scene.Authenticator.Tokens.RenewAsync(workload.Scene.Server, Cancellation);
        Assert.Equal([JwtBearer, JwtBearer], workload.Requests.Select(r => r.FormValue("grant_type")));
    }

    [Rule(24, 36)]
    [Fact]
    public async Task Workload_renews_and_steps_up_without_a_user()
    {
        await using var workload = await WorkloadFixture.StartAsync(refuseReplays: true);
        var scene = workload.Scene;
        using var http = scene.Open(signIn: true, client: workload.Workload);
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        workload.Put();
        scene.Issuer.Server.Expire(await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation));
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        workload.Put();
        scene.Resource.Scope = "mcp:write";
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal(["mcp:tools", "mcp:tools", "mcp:tools mcp:write"], workload.Requests.Select(r => r.FormValue("scope")));
    }

    [Rule(36)]
    [Fact]
    public async Task User_does_not_replace_a_workload_without_a_request()
    {
        await using var workload = await WorkloadFixture.SignedInAsync();
        var scene = workload.Scene;
        scene.Person.CanAnswer = true;
        using var http = scene.Open(signIn: true);
        scene.Resource.Scope = "mcp:write";
        Assert.Equal(403, await scene.PingAsync(http, Cancellation));
        scene.Resource.Introspect = _ => null;
        Assert.Equal(401, await scene.PingAsync(http, Cancellation));
        Assert.Empty(scene.Person.Visited);
    }

    [Rule(36)]
    [Theory]
    [InlineData(null, null)]
    [InlineData("s3cret", null)]
    [InlineData(null, "job")]
    public async Task Known_client_authenticates_with_the_assertion(string? secret, string? variable)
    {
        await using var workload = await WorkloadFixture.StartAsync(
            issuer: o => o with { PreRegisteredClients = [new RegisteredClient("job", secret, [], secret is null ? "none" : "client_secret_basic")] },
            server: s => new(s) { ClientId = variable is null ? "job" : null });
        if (secret is not null)
        {
            await workload.Scene.Authenticator.Servers.UpdateAsync(workload.Scene.Server, new ServerUpdate { ClientSecret = secret }, Cancellation);
        }
        if (variable is not null)
        {
            workload.Scene.Work.Variables["MCPSM_CLIENT_ID"] = variable;
        }
        await workload.Scene.LoginAsync(workload.As);
        await workload.Scene.Authenticator.Tokens.RenewAsync(workload.Scene.Server, Cancellation);
        Assert.All(workload.Requests, r => Assert.Equal((secret is null ? "job" : null, secret is not null),
            (r.FormValue("client_id"), r.Header("Authorization") is not null)));
        Assert.All(workload.Scene.Issuer.Server.IssuedTokens, t => Assert.Equal("job", t.ClientId));
    }

    [Rule(15, 36)]
    [Fact]
    public async Task Assertion_is_sent_to_a_second_issuer_only_if_the_user_names_it()
    {
        await using var workload = await WorkloadFixture.SignedInAsync();
        var scene = workload.Scene;
        await using var second = await TestIssuer.StartAsync(new() { TrustedPlatforms = [workload.Platform.Trusted] });
        scene.Resource.Issuers = [second.Issuer];
        scene.Resource.Introspect = second.Server.Introspect;
        workload.Put(workload.Platform.Sign(second.Issuer));
        // With an assertion from the caller, and with the source that the credential records.
        foreach (var how in new Func<SignInOptions, SignInOptions>[] { workload.As, o => o })
        {
            var e = await scene.FailsAsync(how);
            Assert.Equal((ErrorReason.IssuerMismatch, "If that is right: mcpsm server update my-api --issuer <url>"), (e.Reason, e.Remedy.InShell()));
        }
        Assert.Empty(second.Traffic.To("/token"));
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { Issuer = second.Issuer }, Cancellation);
        await scene.LoginAsync(workload.As);
        Assert.Equal(second.Issuer, scene.Status.Issuer);
    }

    [Rule(36)]
    [Fact]
    public async Task Assertion_is_not_stored()
    {
        await using var workload = await WorkloadFixture.SignedInAsync();
        var assertion = await File.ReadAllTextAsync(workload.File, Cancellation);
        File.Delete(workload.File);
        Assert.Null((await workload.Scene.Authenticator.SignIn.SignOutAsync(workload.Scene.Server, local: false, Cancellation)).RevocationFailure);
        Assert.DoesNotContain(workload.Scene.Issuer.Server.IssuedTokens, t => t.State == TokenState.Active);
        foreach (var file in Directory.EnumerateFiles(workload.Scene.Work.Folder, "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain(assertion.Trim(), Encoding.Latin1.GetString(File.ReadAllBytes(file)));
        }
    }

    [Fact]
    public async Task Assertion_variable_is_used_without_a_user_for_a_named_server()
    {
        await using var workload = await WorkloadFixture.StartAsync();
        var scene = workload.Scene;
        scene.Work.Variables["MCPSM_ASSERTION_FILE"] = workload.File;
        // The server chooses its issuer, and the variable is not for a particular server.
        Assert.Equal(ErrorReason.InteractionRequired,
            (await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.SignIn.EnsureSignedInAsync(scene.Server, new(), Cancellation))).Reason);
        Assert.Empty(scene.Issuer.Traffic.Requests);
        await scene.LoginAsync();
        // The credential now records the source, so the variable is no longer needed.
        scene.Work.Variables.Remove("MCPSM_ASSERTION_FILE");
        await scene.LoginAsync();
        Assert.Equal(2, workload.Requests.Count);
        scene.Work.Variables["MCPSM_ASSERTION_FILE"] = workload.File;
        scene.Work.Variables["MCPSM_CLIENT_SECRET"] = "s3cret";
        Assert.Contains("MCPSM_ASSERTION_FILE cannot be combined with", (await scene.FailsAsync()).Message);
        // If a user is present, the variable is not used.
        scene.Work.Variables.Remove("MCPSM_CLIENT_SECRET");
        scene.Person.CanAnswer = true;
        await scene.LoginAsync();
        Assert.Equal(SignedInBy.Person, scene.Status.SignedInBy);
    }

    [Fact]
    public async Task Index_entry_without_or_with_unknown_SignedInBy_is_read()
    {
        await using var workload = await WorkloadFixture.SignedInAsync();
        var path = workload.Scene.Work.Home.PathOf("credentials.json");
        var facts = JsonNode.Parse(File.ReadAllText(path))!;
        Assert.Equal("Workload", (string?)facts["servers"]!["my-api"]!["signedInBy"]);
        foreach (var before in new[] { null, "SomethingLater" })
        {
            facts["servers"]!["my-api"]!["signedInBy"] = before;
            File.WriteAllText(path, facts.ToJsonString());
            Assert.Equal((AuthState.Authenticated, null), (workload.Scene.Status.State, workload.Scene.Status.SignedInBy));
        }
    }

    [Fact]
    public async Task Entra_ID_receives_no_assertion_grant()
    {
        await using var scene = await EntraFixture.StartAsync();
        var e = await scene.FailsAsync(o => o with { ClientCredentials = new ClientCredentials(Assertion: WorkloadAssertionSource.FromFile("nosuch")) });
        Assert.Equal((ErrorReason.InvalidValue, "mcpsm auth login my-api --managed-identity"), (e.Reason, e.Remedy.InShell()));
        Assert.Empty(scene.Entra.Traffic.To("/token"));
    }
}

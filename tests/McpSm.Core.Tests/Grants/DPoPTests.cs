using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.Grants;

/// <summary>When tokens are bound to a key, and how bound tokens are used (RFC 9449).</summary>
public sealed class DPoPTests
{
    private static readonly AuthorizationServerOptions Binding = new() { SupportsDPoP = true };

    /// <summary>Starts a server that announces that it requires bound tokens, and its issuer.</summary>
    private static async Task<SignInFixture> StartAsync(
        AuthorizationServerOptions? issuer = null, Func<McpServer, McpServer>? server = null, ManualTimeProvider? clock = null)
    {
        var scene = await SignInFixture.StartAsync(issuer ?? Binding, server: server, clock: clock);
        scene.Resource.DPoP = new DPoPProofs(clock ?? TimeProvider.System, requireNonce: false);
        return scene;
    }

    /// <summary>Makes the server stop announcing that it requires bound tokens.</summary>
    private static void HideRequirement(SignInFixture scene)
    {
        scene.Resource.Challenge = challenge => challenge.Replace("DPoP ", "Bearer ");
        scene.Resource.ResourceMetadata = json =>
        {
            json.Remove("dpop_bound_access_tokens_required");
            json.Remove("dpop_signing_alg_values_supported");
            return json;
        };
    }

    private static IssuedToken Last(SignInFixture scene, TokenKind kind) => scene.Issuer.Server.IssuedTokens.Last(t => t.Kind == kind);

    [Rule(35)]
    [Fact]
    public async Task Server_that_requires_DPoP_gets_proofs_of_one_key()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync();
        Assert.Equal("DPoP", scene.Status.TokenType);
        var key = Last(scene, TokenKind.Access).KeyThumbprint;
        Assert.NotNull(key);
        Assert.Equal(key, scene.Issuer.Traffic.To("/authorize")[0].QueryValue("dpop_jkt"));

        using var http = scene.Open();
        Assert.Equal((200, 200), (await scene.PingAsync(http, Cancellation), await scene.PingAsync(http, Cancellation)));
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        using var again = scene.Open(authenticator: scene.Work.New());
        Assert.Equal(200, await scene.PingAsync(again, Cancellation));
        Assert.Equal((key, key), (Last(scene, TokenKind.Access).KeyThumbprint, Last(scene, TokenKind.Refresh).KeyThumbprint));
        Assert.True((await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(20), Cancellation)).Success);
        Assert.Equal(AuthState.Authenticated, (await scene.Authenticator.Tester.ValidateAsync(scene.Server, Cancellation)).State);
        var shown = scene.Resource.Traffic.To("/mcp").Where(r => r.Header("Authorization") is not null).ToList();
        Assert.All(shown, r => Assert.StartsWith("DPoP at_", r.Header("Authorization")));
        Assert.Equal(shown.Count, shown.Select(r => DPoPProofTests.Read(r.Header("DPoP")).Claims.GetProperty("jti").GetString()).Distinct().Count());
    }

    [Rule(35)]
    [Fact]
    public async Task Sign_in_creates_its_own_key_and_the_index_has_no_key()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync();
        var first = Last(scene, TokenKind.Access).KeyThumbprint;
        await scene.LoginAsync();
        Assert.NotEqual(first, Last(scene, TokenKind.Access).KeyThumbprint);
        var item = await scene.Authenticator.Tokens.ReadAsync(scene.Server, Cancellation);
        Assert.All(Directory.EnumerateFiles(scene.Work.Folder), file => Assert.DoesNotContain(item!.OAuth!.DPoPKey!.Pkcs8, File.ReadAllText(file)));
    }

    [Rule(35)]
    [Fact]
    public async Task Stolen_token_without_the_key_is_refused()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync();
        var token = await scene.Authenticator.Tokens.GetAccessTokenAsync(scene.Server, Cancellation);
        Assert.True(token.IsBound);
        using var attacker = new HttpClient();
        async Task<int> SendAsync(params (string Name, string Value)[] headers)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, scene.Resource.McpUrl) { Content = new StringContent(SignInFixture.Ping) };
            Assert.All(headers, h => Assert.True(request.Headers.TryAddWithoutValidation(h.Name, h.Value)));
            using var answer = await attacker.SendAsync(request);
            return (int)answer.StatusCode;
        }
        var others = DPoPProof.Create(DPoPKey.Create(), HttpMethod.Post, scene.Resource.McpUrl, DateTimeOffset.UtcNow, token.Value, null);
        var own = token.HeadersFor().Select(h => (h.Key, h.Value)).ToArray();
        Assert.Equal((401, 401, 401, 200, 401), (
            await SendAsync(("Authorization", "Bearer " + token.Value)), await SendAsync(("Authorization", "DPoP " + token.Value)),
            await SendAsync(("Authorization", "DPoP " + token.Value), ("DPoP", others)), await SendAsync(own), await SendAsync(own)));
    }

    [Rule(35)]
    [Fact]
    public async Task DPoP_support_of_the_issuer_alone_does_not_bind_tokens()
    {
        await using var scene = await SignInFixture.SignedInAsync(Binding);
        Assert.Equal("Bearer", scene.Status.TokenType);
        Assert.All(scene.Issuer.Traffic.Requests, r => Assert.True(r.Header("DPoP") is null && r.QueryValue("dpop_jkt") is null));
        using var http = scene.Open();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
    }

    [Rule(35)]
    [Fact]
    public async Task Algorithm_listed_by_server_and_issuer_binds_tokens()
    {
        await using var scene = await StartAsync();
        HideRequirement(scene);
        scene.Resource.ResourceMetadata = json => { json.Remove("dpop_bound_access_tokens_required"); return json; };
        await scene.LoginAsync();
        Assert.Equal("DPoP", scene.Status.TokenType);
    }

    [Rule(35)]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Algorithms_without_ours_end_the_sign_in_before_the_browser_opens(bool ofIssuer)
    {
        await using var scene = await StartAsync();
        static void Other(JsonObject json) => json["dpop_signing_alg_values_supported"] = new JsonArray("RS256", "EdDSA\u001b[31m");
        scene.Issuer.Faults.RewriteJson("/.well-known", json => { if (ofIssuer) { Other(json); } });
        scene.Resource.ResourceMetadata = json => { if (!ofIssuer) { Other(json); } return json; };
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.MetadataInvalid, e.Reason);
        Assert.Contains("RS256, EdDSA [31m, but Mcpsm supports only ES256", e.Message);
        Assert.Empty(scene.Person.Visited);
    }

    [Rule(35)]
    [Fact]
    public async Task Bearer_token_is_refused_if_the_server_requires_DPoP()
    {
        await using var scene = await StartAsync(new AuthorizationServerOptions());
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.TokenResponseInvalid, e.Reason);
        Assert.Contains("not bound to our key (DPoP)", e.Message);
        Assert.Null(scene.Status.TokenType);
    }

    [Rule(35)]
    [Fact]
    public async Task Bearer_token_is_stored_as_such_if_the_server_accepts_both()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.Challenge = bearer => $"{bearer}, DPoP algs=\"ES256\"";
        await scene.LoginAsync();
        Assert.NotNull(scene.Issuer.Traffic.To("/token")[0].Header("DPoP"));
        Assert.Equal("Bearer", scene.Status.TokenType);
        Assert.Null((await scene.Authenticator.Tokens.ReadAsync(scene.Server, Cancellation))!.OAuth!.DPoPKey);
        using var http = scene.Open();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
    }

    [Rule(35)]
    [Fact]
    public async Task Bound_token_that_was_not_requested_is_refused()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/token", json => json["token_type"] = "DPoP");
        Assert.Equal(ErrorReason.TokenResponseInvalid, (await scene.FailsAsync()).Reason);
        Assert.DoesNotContain(scene.Resource.Traffic.Requests, r => r.Header("Authorization") is not null);
    }

    [Rule(35)]
    [Fact]
    public async Task Token_type_in_lower_case_is_accepted()
    {
        await using var scene = await StartAsync();
        scene.Issuer.Faults.RewriteJson("/token", json => json["token_type"] = "dpop");
        await scene.LoginAsync();
        Assert.Equal("DPoP", scene.Status.TokenType);
    }

    [Rule(35)]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Demand_of_token_endpoint_or_registration_binds_tokens(bool atToken)
    {
        await using var scene = await StartAsync(Binding with { RequireDPoP = atToken });
        HideRequirement(scene);
        scene.Issuer.Faults.RewriteJson("/register", json => { if (!atToken) { json["dpop_bound_access_tokens"] = true; } });
        await scene.LoginAsync();
        Assert.Equal("DPoP", scene.Status.TokenType);
        Assert.Equal(atToken ? [400, 200] : [200], scene.Issuer.Traffic.To("/token").Select(r => r.StatusCode));
        using var http = scene.Open();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
    }

    [Rule(35)]
    [Fact]
    public async Task DPoP_setting_of_the_user_requires_or_disables_it()
    {
        await using var scene = await SignInFixture.StartAsync(Binding, server: s => new(s) { DPoP = DPoPMode.Always });
        scene.Resource.DPoP = new DPoPProofs(TimeProvider.System, requireNonce: false);
        HideRequirement(scene);
        await scene.LoginAsync();
        Assert.Equal("DPoP", scene.Status.TokenType);

        scene.Resource.DPoP = null;
        await scene.ChangeServerAsync(s => new(s) { DPoP = DPoPMode.Never });
        scene.Resource.Challenge = bearer => $"{bearer}, DPoP algs=\"ES256\"";
        await scene.LoginAsync();
        Assert.Equal("Bearer", scene.Status.TokenType);
        Assert.Contains("\"dpop\": \"never\"", File.ReadAllText(Path.Combine(scene.Work.Folder, "config.json")));

        await using var bearer = await SignInFixture.StartAsync(server: s => new(s) { DPoP = DPoPMode.Always });
        Assert.Equal(ErrorReason.TokenResponseInvalid, (await bearer.FailsAsync()).Reason);
    }

    [Rule(33, 35)]
    [Fact]
    public async Task Client_grant_gets_bound_tokens_and_renews_with_the_same_key()
    {
        await using var scene = await StartAsync(Binding with { PreRegisteredClients = [new RegisteredClient("job", "s3cr3t", [], "client_secret_basic")] });
        scene.Person.CanAnswer = false;
        await scene.LoginAsync(o => o with { ClientCredentials = new("job", "s3cr3t") });
        var key = Last(scene, TokenKind.Access).KeyThumbprint;
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal((key, "DPoP"), (Last(scene, TokenKind.Access).KeyThumbprint, scene.Status.TokenType));
        using var http = scene.Open();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
    }

    [Rule(35, 37)]
    [Fact]
    public async Task Device_sign_in_gets_bound_tokens()
    {
        var clock = new ManualTimeProvider();
        await using var scene = await StartAsync(Binding with { SupportsDeviceCode = true, RequireDPoPNonce = true }, clock: clock);
        scene.Person.Device = code => scene.Issuer.Server.DecideDevice(code.UserCode, approve: true);
        await scene.LoginAsync(o => o with { UseDeviceCode = true });
        Assert.Equal("DPoP", scene.Status.TokenType);
    }

    [Rule(23, 35)]
    [Fact]
    public async Task Renewal_in_two_processes_uses_the_same_key_once()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync();
        var key = Last(scene, TokenKind.Access).KeyThumbprint;
        scene.Issuer.Faults.Delay("/token", TimeSpan.FromMilliseconds(200));
        var renewed = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => scene.Work.New().Tokens.RenewNowAsync(scene.Server, default))));
        Assert.Single(renewed.Select(r => r.AccessToken).Distinct());
        Assert.Single(scene.Issuer.Traffic.OfGrant("refresh_token"));
        Assert.All(renewed, r => Assert.Equal(key, r.DPoPKey!.Thumbprint()));
    }

    [Rule(22, 35)]
    [Fact]
    public async Task DPoP_proof_for_another_server_is_refused()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync();
        var token = await scene.Authenticator.Tokens.GetAccessTokenAsync(scene.Server, Cancellation);
        Assert.Equal(ErrorReason.UnsafeEndpoint, Assert.Throws<McpAuthException>(() => token.HeadersFor(uri: "https://elsewhere.example/mcp")).Reason);
        Assert.Equal(ErrorReason.UnsafeEndpoint, Assert.Throws<McpAuthException>(() => token.HeadersFor(uri: $"{scene.Resource.McpUrl}2")).Reason);
        Assert.All([("POST", "nowhere", null), ("PO ST", null, null), ("POST", null, "a\"b")], ((string Method, string? Uri, string? Nonce) bad) =>
            Assert.Equal(ErrorReason.InvalidValue, Assert.Throws<McpAuthException>(() => token.HeadersFor(bad.Method, bad.Uri, bad.Nonce)).Reason));
        var (_, claims) = DPoPProofTests.Read(token.HeadersFor("get", $"{scene.Resource.McpUrl}/more?x=1", "n1")[1].Value);
        Assert.Equal(("GET", $"{scene.Resource.McpUrl}/more", "n1"),
            (claims.GetProperty("htm").GetString(), claims.GetProperty("htu").GetString(), claims.GetProperty("nonce").GetString()));

        await using var other = await TestMcpServer.StartAsync();
        await scene.ChangeServerAsync(s => new(s) { Url = other.McpUrl.AbsoluteUri });
        using var http = scene.Open();
        using var answer = await http.PostAsync(other.McpUrl, new StringContent(SignInFixture.Ping), Cancellation);
        Assert.All(other.Traffic.Requests, r => Assert.True(r.Header("DPoP") is null && r.Header("Authorization") is null));
    }

    [Rule(35)]
    [Fact]
    public async Task Bound_token_is_not_served_as_a_secret()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Secrets.GetAsync("my-api", null, Cancellation));
        Assert.Equal((ErrorReason.InvalidValue, "my-api"), (e.Reason, e.Server));
        Assert.Contains("mcpsm auth token my-api --header", e.Remedy.InShell());
        await scene.Authenticator.Servers.SetTokenAsync(scene.Server, "own-token", null, Cancellation);
        Assert.Equal("own-token", (await scene.Authenticator.Secrets.GetAsync("my-api", null, Cancellation))!.Value.Text);
        Assert.Equal("Bearer", scene.Status.TokenType);
    }

    [Rule(23, 35)]
    [Fact]
    public async Task Renewal_cut_off_after_the_nonce_spends_nothing()
    {
        await using var scene = await StartAsync(Binding with { RequireDPoPNonce = true });
        await scene.LoginAsync();
        using var end = new CancellationTokenSource();
        scene.Issuer.Faults.Intercept("/token", context =>
        {
            (context.Response.StatusCode, context.Response.ContentType) = (400, "application/json");
            scene.Issuer.Server.DPoP!.Offer(context.Response);
            return context.Response.WriteAsync("""{"error":"use_dpop_nonce"}""");
        }, times: 1);
        // The second request is sent when the process ends, and never arrives.
        scene.Issuer.Faults.Intercept("/token", async context =>
        {
            await end.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        }, times: 1);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => scene.Work.New().Tokens.RenewAsync(scene.Server, end.Token));
        Assert.True(scene.Status.RenewalUncertain);
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.False(scene.Status.RenewalUncertain);
        using var http = scene.Open();
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
    }

    [Rule(24, 35)]
    [Fact]
    public async Task Step_up_is_a_sign_in_with_a_new_key()
    {
        await using var scene = await StartAsync(Binding with { ScopesSupported = ["mcp:tools", "mcp:write"] });
        await scene.LoginAsync();
        var before = Last(scene, TokenKind.Access).KeyThumbprint;
        using var http = scene.Open(signIn: true);
        scene.Resource.Scope = "mcp:write";
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.NotEqual(before, Last(scene, TokenKind.Access).KeyThumbprint);
        await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        Assert.Equal(TokenState.Revoked, Last(scene, TokenKind.Access).State);
    }

    [Fact]
    public async Task Index_entry_without_token_type_means_a_bearer_token()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        Assert.DoesNotContain("tokenType", File.ReadAllText(Path.Combine(scene.Work.Folder, "credentials.json")));
        Assert.Equal("Bearer", scene.Status.TokenType);
        await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        Assert.Null(scene.Status.TokenType);
    }
}

using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using McpSm.Core.Configuration;
using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Core.Vaults;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.SignIn;

/// <summary>Enterprise-managed authorization: one sign-in at the identity provider, which asserts the user's identity to the issuers.</summary>
public sealed class EnterpriseTests
{
    [Rule(34)]
    [Fact]
    public async Task Provider_sign_in_serves_two_servers_with_two_issuers()
    {
        await using var work = await EnterpriseFixture.StartAsync();
        var signIn = work.Authenticator.SignIn;
        var one = await signIn.EnsureSignedInAsync(work.One, TestEnvironment.SignIn, Cancellation);
        var two = await signIn.EnsureSignedInAsync(work.Two, TestEnvironment.SignIn, Cancellation);
        Assert.All([one, two], r => Assert.Equal((AuthState.Authenticated, true, null, SignedInBy.IdentityProvider),
            (r.Status.State, r.Status.CanRenew, r.VerificationFailure, r.Status.SignedInBy)));
        var asked = Assert.Single(work.Work.Person.Visited);
        Assert.StartsWith(work.Provider.Issuer + "/authorize?", asked.AbsoluteUri);
        Assert.Contains("scope=openid%20offline_access", asked.Query);
        Assert.Contains("nonce=", asked.Query);
        Assert.DoesNotContain("resource=", asked.Query);
        var exchanges = work.Provider.Traffic.OfGrant(EnterpriseFixture.Exchange);
        Assert.Equal(2, exchanges.Count);
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(
                ("urn:ietf:params:oauth:token-type:id-jag", "urn:ietf:params:oauth:token-type:id_token",
                    work.Issuers[i].Issuer, work.Resources[i].Resource, "mcp:tools"),
                (exchanges[i].FormValue("requested_token_type"), exchanges[i].FormValue("subject_token_type"), exchanges[i].FormValue("audience"),
                exchanges[i].FormValue("resource"), exchanges[i].FormValue("scope")));
            Assert.StartsWith("Basic ", exchanges[i].Header("Authorization"));
            var grant = Assert.Single(work.Issuers[i].Traffic.To("/token"));
            Assert.Equal((EnterpriseFixture.JwtBearer, work.Resources[i].Resource, "mcp:tools"),
                (grant.FormValue("grant_type"), grant.FormValue("resource"), grant.FormValue("scope")));
            Assert.StartsWith("Basic ", grant.Header("Authorization"));
            Assert.Empty(work.Issuers[i].Traffic.To("/authorize"));
            Assert.True((await work.Authenticator.Tester.TestAsync(i == 0 ? work.One : work.Two, TimeSpan.FromSeconds(20), Cancellation)).Success);
        }
        var status = Assert.Single(work.Authenticator.IdentityProviders.List());
        Assert.Equal((work.Provider.Issuer, true, true, "one two"), (status.Issuer, status.IsSet, status.CanRenew, string.Join(' ', status.Servers)));
    }

    [Rule(22, 34)]
    [Fact]
    public async Task Provider_tokens_go_nowhere_else_and_no_ID_JAG_is_stored()
    {
        await using var work = await EnterpriseFixture.SignedInAsync();
        var vault = (await Items(work)).ToDictionary();
        var session = JsonNode.Parse(vault[IdentitySessionStore.ItemName(work.Provider.Issuer)])!["session"]!;
        string[] ofProvider = [(string)session["idToken"]!, (string)session["refreshToken"]!, EnterpriseFixture.ProviderSecret,
            .. work.Provider.Server.IssuedTokens.Select(t => t.Value)];
        var elsewhere = work.Issuers.SelectMany(i => i.Traffic.Requests).Concat(work.Resources.SelectMany(r => r.Traffic.Requests)).ToList();
        foreach (var secret in ofProvider)
        {
            Assert.DoesNotContain(elsewhere,
                r => r.Body.Contains(secret) || r.QueryString.Contains(secret) || r.Headers.Values.Any(h => h.ToString().Contains(secret)));
        }
        var idJags = work.Issuers.SelectMany(i => i.Traffic.OfGrant(EnterpriseFixture.JwtBearer)).Select(r => r.FormValue("assertion")!).ToList();
        Assert.Equal(2, idJags.Distinct().Count());
        Assert.All(vault.Values, text => Assert.DoesNotContain(idJags, text.Contains));
        foreach (var file in Directory.EnumerateFiles(work.Work.Folder, "*", SearchOption.AllDirectories))
        {
            var text = await File.ReadAllTextAsync(file, Cancellation);
            Assert.DoesNotContain([.. idJags, .. ofProvider], text.Contains);
        }
        Assert.DoesNotContain(work.Resources.SelectMany(r => r.Traffic.Requests), r => idJags.Any(j => r.Headers.Values.Any(h => h.ToString().Contains(j))));
    }

    [Rule(34)]
    [Fact]
    public async Task Renewal_without_a_user_renews_the_session_with_an_expired_ID_token()
    {
        var clock = new ManualTimeProvider();
        await using var work = await EnterpriseFixture.SignedInAsync(clock);
        work.Work.Person.CanAnswer = false;
        var before = await work.Authenticator.Tokens.GetTokenAsync(work.One, Cancellation);
        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal((AuthState.Expired, "mcpsm auth refresh one"), (work.Authenticator.Status(work.One).State, work.Authenticator.Status(work.One).Remedy));
        Assert.NotEqual(before, await work.Work.New().Tokens.GetTokenAsync(work.One, Cancellation));
        await work.Authenticator.Tokens.GetTokenAsync(work.Two, Cancellation);
        Assert.Single(work.Provider.Traffic.OfGrant("refresh_token"));
        Assert.Equal(4, work.Provider.Traffic.OfGrant(EnterpriseFixture.Exchange).Count);
        Assert.Null(work.Provider.Traffic.OfGrant("refresh_token")[0].FormValue("resource"));
        Assert.Single(work.Work.Person.Visited);
    }

    [Rule(23, 34)]
    [Fact]
    public async Task Renewals_in_many_processes_send_the_provider_refresh_token_once()
    {
        var clock = new ManualTimeProvider();
        await using var work = await EnterpriseFixture.SignedInAsync(clock);
        clock.Advance(TimeSpan.FromHours(2));
        var (one, two) = (work.One, work.Two);
        work.Provider.Faults.Delay("/token", TimeSpan.FromMilliseconds(200));
        var tokens = await Task.WhenAll(Enumerable.Range(0, 8)
            .Select(i => Task.Run(() => work.Work.New().Tokens.GetTokenAsync(i % 2 == 0 ? one : two, default))));
        Assert.Equal(2, tokens.Distinct().Count());
        Assert.Single(work.Provider.Traffic.OfGrant("refresh_token"));
        Assert.DoesNotContain(work.Provider.Server.IssuedTokens, t => t.State == TokenState.Revoked);
    }

    [Rule(14, 34)]
    [Fact]
    public async Task Provider_that_registers_clients_reuses_the_client()
    {
        await using var work = await EnterpriseFixture.StartAsync(set: false, provider: o => o with { SupportsRegistration = true });
        await work.LoginAsync(work.One, o => o with { IdentityProvider = work.Provider.Issuer });
        await work.Authenticator.IdentityProviders.SignOutAsync(work.Provider.Issuer, local: false, Cancellation);
        await work.LoginAsync(work.Two, o => o with { IdentityProvider = work.Provider.Issuer });
        var registered = Assert.Single(work.Provider.Traffic.To("/register")).Json!["grant_types"]!.AsArray().Select(g => (string?)g);
        Assert.Equal(["authorization_code", "refresh_token", EnterpriseFixture.Exchange], registered);
        Assert.Equal(2, work.Work.Person.Visited.Count);
        Assert.All(work.Issuers, i => Assert.Empty(i.Traffic.To("/register")));
    }

    [Rule(34)]
    [Fact]
    public async Task Ended_session_names_the_command_that_signs_in()
    {
        var clock = new ManualTimeProvider();
        await using var work = await EnterpriseFixture.SignedInAsync(clock);
        clock.Advance(TimeSpan.FromHours(2));
        work.Provider.Server.RevokeAllTokens();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.Tokens.GetTokenAsync(work.One, Cancellation));
        Assert.Equal((ErrorReason.AuthenticationRequired, $"mcpsm auth login one --identity-provider {work.Provider.Issuer}", "one"),
            (e.Reason, e.Remedy.InShell(), e.Server));
        Assert.Contains("has ended", e.Message);
        Assert.Null(work.Authenticator.IdentityProviders.List()[0].SignedInAt);
        work.Work.Person.CanAnswer = false;
        e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(work.One));
        Assert.Equal((ErrorReason.InteractionRequired, "one"), (e.Reason, e.Server));
        Assert.Contains("mcpsm identity login", e.Remedy.InShell());
        work.Work.Person.CanAnswer = true;
        await work.LoginAsync(work.One, o => o with { IdentityProvider = work.Provider.Issuer });
        Assert.Equal(2, work.Work.Person.Visited.Count);
        await work.Authenticator.Tokens.GetTokenAsync(work.Two, Cancellation);
        Assert.Equal(2, work.Work.Person.Visited.Count);
    }

    [Rule(34)]
    [Fact]
    public async Task Index_entry_of_a_session_is_repaired_when_the_session_is_read()
    {
        var clock = new ManualTimeProvider();
        await using var work = await EnterpriseFixture.SignedInAsync(clock);
        var facts = Path.Combine(work.Work.Folder, "credentials.json");
        var signedIn = await File.ReadAllTextAsync(facts, Cancellation);
        var cut = JsonNode.Parse(signedIn)!.AsObject();
        cut.Remove("identities");
        await File.WriteAllTextAsync(facts, cut.ToJsonString(), Cancellation);
        clock.Advance(TimeSpan.FromHours(2));
        await work.Authenticator.Tokens.GetTokenAsync(work.One, Cancellation);
        Assert.True(work.Authenticator.IdentityProviders.List()[0].SignedIn);

        var after = await File.ReadAllTextAsync(facts, Cancellation);
        await work.Authenticator.IdentityProviders.SignOutAsync(work.Provider.Issuer, local: true, Cancellation);
        await File.WriteAllTextAsync(facts, after, Cancellation);
        Assert.True(work.Authenticator.IdentityProviders.List()[0].SignedIn);
        clock.Advance(TimeSpan.FromHours(2));
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.Tokens.GetTokenAsync(work.One, Cancellation));
        Assert.Equal(ErrorReason.AuthenticationRequired, e.Reason);
        Assert.False(work.Authenticator.IdentityProviders.List()[0].SignedIn);
    }

    [Rule(34)]
    [Theory]
    [InlineData("iss", "\"https://other.example\"", ErrorReason.IssuerMismatch, "another issuer")]
    [InlineData("aud", "\"another-client\"", ErrorReason.TokenResponseInvalid, "another client")]
    [InlineData("aud", "[]", ErrorReason.TokenResponseInvalid, "another client")]
    [InlineData("azp", "\"another-client\"", ErrorReason.TokenResponseInvalid, "another client")]
    [InlineData("nonce", "\"of-another-sign-in\"", ErrorReason.TokenResponseInvalid, "nonce")]
    [InlineData("nonce", "null", ErrorReason.TokenResponseInvalid, "nonce")]
    [InlineData("exp", "1700000000", ErrorReason.TokenResponseInvalid, "expired")]
    [InlineData("exp", "\"never\"", ErrorReason.TokenResponseInvalid, "expired")]
    [InlineData("sub", "null", ErrorReason.TokenResponseInvalid, "sub")]
    public async Task ID_token_of_another_user_or_client_is_not_stored(string claim, string json, ErrorReason reason, string text)
    {
        await using var work = await EnterpriseFixture.StartAsync();
        work.Provider.Faults.RewriteJson("/token",
            answer => answer["id_token"] = WithClaims((string)answer["id_token"]!, claims => claims[claim] = JsonNode.Parse(json)));
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(work.One));
        Assert.Equal(reason, e.Reason);
        Assert.Contains(text, e.Message);
        Assert.Empty(work.Provider.Traffic.OfGrant(EnterpriseFixture.Exchange));
        Assert.Null(work.Authenticator.IdentityProviders.List()[0].SignedInAt);
        Assert.Equal(AuthState.NotAuthenticated, work.Authenticator.Status(work.One).State);
    }

    [Rule(34)]
    [Theory]
    [InlineData(400, """{"error":"access_denied","error_description":"not in your group"}""", ErrorReason.AuthorizationDenied, "not in your group")]
    [InlineData(400, """{"error":"invalid_target"}""", ErrorReason.AuthorizationDenied, "does not allow you to use this server")]
    [InlineData(400, """{"error":"unauthorized_client"}""", ErrorReason.ClientRejected, "does not allow this client")]
    [InlineData(400, """{"error":"unsupported_grant_type"}""", ErrorReason.TokenResponseInvalid, "does not issue ID-JAGs")]
    [InlineData(400, """{"error":"invalid_scope"}""", ErrorReason.InsufficientScope, "invalid_scope")]
    [InlineData(200, """{"access_token":"PLANTED-of-another-type","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:access_token"}""",
        ErrorReason.TokenResponseInvalid, "of another type")]
    [InlineData(200, """{"access_token":"PLANTED-of-no-type","token_type":"N_A"}""", ErrorReason.TokenResponseInvalid, "of another type")]
    [InlineData(200, """{"issued_token_type":"urn:ietf:params:oauth:token-type:id-jag"}""", ErrorReason.TokenResponseInvalid, "no ID-JAG")]
    [InlineData(200, "[1]", ErrorReason.TokenResponseInvalid, "not a JSON object")]
    [InlineData(503, "", ErrorReason.ServerUnreachable, "503")]
    public async Task Invalid_ID_JAG_is_not_sent_and_a_refusal_is_reported(int status, string body, ErrorReason reason, string text)
    {
        await using var work = await EnterpriseFixture.StartAsync();
        await work.Authenticator.IdentityProviders.SignInAsync(work.Provider.Issuer, TestEnvironment.SignIn, Cancellation);
        work.Provider.Faults.Answer("/token", status, body);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(work.One));
        Assert.Equal((reason, "one"), (e.Reason, e.Server));
        Assert.Contains(text, e.Message);
        Assert.DoesNotContain("PLANTED", e.ToString());
        Assert.Empty(work.Issuers[0].Traffic.To("/token"));
        Assert.Equal(AuthState.NotAuthenticated, work.Authenticator.Status(work.One).State);
    }

    [Rule(34)]
    [Fact]
    public async Task Server_unknown_to_the_organisation_or_without_trust_is_refused()
    {
        await using var unknown = await EnterpriseFixture.StartAsync(known: false);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => unknown.LoginAsync(unknown.One));
        Assert.Equal((ErrorReason.AuthorizationDenied, "invalid_target"), (e.Reason, e.OAuthError));
        await using var foreign = await EnterpriseFixture.StartAsync(issuer: o => o with { TrustedIdentityProviders = ["https://other.example"] });
        e = await Assert.ThrowsAsync<McpAuthException>(() => foreign.LoginAsync(foreign.One));
        Assert.Equal((ErrorReason.AssertionRejected, "invalid_grant"), (e.Reason, e.OAuthError));
        Assert.Contains("whether it trusts the identity provider " + foreign.Provider.Issuer, e.Remedy.InShell());
    }

    [Rule(11, 34)]
    [Fact]
    public async Task Configured_provider_is_ignored_without_support_but_required_if_named()
    {
        await using var work = await EnterpriseFixture.StartAsync(issuer: o => o with { TrustedIdentityProviders = [] });
        await work.Authenticator.Catalog.UpdateAsync("one", s => new(s) { ClientId = null }, Cancellation);
        Assert.Equal(SignedInBy.Person, (await work.LoginAsync(work.One)).Status.SignedInBy);
        Assert.Empty(work.Provider.Traffic.Requests);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(work.One, o => o with { IdentityProvider = work.Provider.Issuer }));
        Assert.Equal(ErrorReason.ClientRegistrationFailed, e.Reason);
        Assert.Contains("mcpsm server update one --client-id <id>", e.Remedy.InShell());
        e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(work.Two, o => o with { IdentityProvider = work.Provider.Issuer }));
        Assert.Equal((ErrorReason.TokenResponseInvalid, "unsupported_grant_type"), (e.Reason, e.OAuthError));
        Assert.Equal(SignedInBy.Person, work.Authenticator.Status(work.One).SignedInBy);
    }

    [Rule(27, 34)]
    [Theory]
    [InlineData("https://login.microsoftonline.com/contoso.example/v2.0", ErrorReason.InvalidValue, "Entra ID issues no ID-JAGs")]
    [InlineData("idp.example", ErrorReason.InvalidValue, "absolute http(s) URL")]
    [InlineData("ftp://idp.example", ErrorReason.InvalidValue, "absolute http(s) URL")]
    [InlineData("http://idp.example", ErrorReason.UnsafeEndpoint, "plain http")]
    public async Task Invalid_identity_provider_is_refused_before_any_request(string provider, ErrorReason reason, string text)
    {
        await using var work = await EnterpriseFixture.StartAsync(set: false);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(work.One, o => o with { IdentityProvider = provider }));
        Assert.Equal(reason, e.Reason);
        Assert.Contains(text, e.Message);
        e = await Assert.ThrowsAsync<McpAuthException>(() =>
            work.Authenticator.IdentityProviders.SetAsync(new IdentityProviderSetting(provider, null, []), null, null, Cancellation));
        Assert.Equal(reason, e.Reason);
        Assert.Null(work.Authenticator.IdentityProviders.Current);
    }

    [Rule(25, 34)]
    [Fact]
    public async Task Provider_without_PKCE_or_ID_JAG_is_refused_before_the_sign_in()
    {
        await using var work = await EnterpriseFixture.StartAsync();
        work.Provider.Faults.RewriteJson("/.well-known", metadata => metadata.Remove("code_challenge_methods_supported"));
        Assert.Equal(ErrorReason.PkceUnsupported, (await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(work.One))).Reason);
        work.Provider.Faults.Clear();
        work.Provider.Faults.RewriteJson("/.well-known",
            metadata => metadata["identity_chaining_requested_token_types_supported"] = new JsonArray("urn:other"));
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.LoginAsync(work.One));
        Assert.Contains("does not issue ID-JAGs", e.Message);
        Assert.Empty(work.Work.Person.Visited);
    }

    [Rule(34, 38)]
    [Fact]
    public async Task Provider_sign_out_revokes_the_refresh_token_and_ends_renewal()
    {
        var clock = new ManualTimeProvider();
        await using var work = await EnterpriseFixture.SignedInAsync(clock);
        Assert.Null(await work.Authenticator.IdentityProviders.SignOutAsync(work.Provider.Issuer, local: false, Cancellation));
        Assert.Equal("refresh_token", Assert.Single(work.Provider.Traffic.To("/revoke")).FormValue("token_type_hint"));
        Assert.NotNull(await work.Authenticator.Tokens.GetTokenAsync(work.One, Cancellation));
        clock.Advance(TimeSpan.FromHours(2));
        Assert.Equal(ErrorReason.AuthenticationRequired,
            (await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.Tokens.GetTokenAsync(work.One, Cancellation))).Reason);
        await work.LoginAsync(work.One);
        work.Provider.Faults.Answer("/revoke", 503);
        Assert.Contains("503", await work.Authenticator.IdentityProviders.RemoveAsync(work.Provider.Issuer, Cancellation));
        Assert.Empty(work.Authenticator.IdentityProviders.List());
        Assert.DoesNotContain(await Items(work), i => i.Key.StartsWith("mcpsmidp-", StringComparison.Ordinal));
    }

    [Rule(34)]
    [Fact]
    public async Task Session_survives_a_lost_renewal_but_not_another_user()
    {
        var clock = new ManualTimeProvider();
        await using var work = await EnterpriseFixture.SignedInAsync(clock);
        clock.Advance(TimeSpan.FromHours(2));
        work.Provider.Faults.Answer("/token", 503, times: 1);
        Assert.Equal(ErrorReason.ServerUnreachable,
            (await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.Tokens.GetTokenAsync(work.One, Cancellation))).Reason);
        Assert.True(work.Authenticator.IdentityProviders.List()[0].CanRenew);
        work.Provider.Faults.RewriteJson("/token",
            answer => answer["id_token"] = WithClaims((string)answer["id_token"]!, claims => claims["sub"] = "another"), times: 1);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.Tokens.GetTokenAsync(work.One, Cancellation));
        Assert.Contains("another person", e.Message);
        Assert.Null(work.Authenticator.IdentityProviders.List()[0].SignedInAt);
    }

    [FieldFault(25)]
    [Rule(23, 34)]
    [Fact]
    public async Task Secret_replaced_at_the_provider_keeps_the_session()
    {
        var clock = new ManualTimeProvider();
        await using var work = await EnterpriseFixture.SignedInAsync(clock);
        clock.Advance(TimeSpan.FromHours(2));
        work.Provider.Faults.Answer("/token", 401, """{"error":"invalid_client"}""", times: 1);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.Tokens.GetTokenAsync(work.One, Cancellation));
        Assert.Equal((ErrorReason.ClientRejected, "one"), (e.Reason, e.Server));
        Assert.EndsWith($"mcpsm identity use {work.Provider.Issuer} --client-id {EnterpriseFixture.ClientAtProvider} --client-secret-from-env <NAME>",
            e.Remedy.InShell());
        Assert.True(work.Authenticator.IdentityProviders.List()[0].SignedIn);
        await work.Authenticator.Tokens.GetTokenAsync(work.One, Cancellation);
        Assert.Single(work.Work.Person.Visited);
    }

    [Rule(34)]
    [Theory]
    [InlineData("iss", "\"https://other.example\"", ErrorReason.IssuerMismatch)]
    [InlineData("aud", "\"another-client\"", ErrorReason.TokenResponseInvalid)]
    [InlineData("exp", "1700000000", ErrorReason.TokenResponseInvalid)]
    public async Task Unusable_ID_token_of_another_program_is_refused_before_any_request(string claim, string json, ErrorReason reason)
    {
        await using var work = await EnterpriseFixture.SignedInAsync();
        var idToken = (string)JsonNode.Parse((await Items(work))[IdentitySessionStore.ItemName(work.Provider.Issuer)])!["session"]!["idToken"]!;
        work.Provider.Traffic.Clear();
        var e = await Assert.ThrowsAsync<McpAuthException>(() =>
            work.Authenticator.IdentityProviders.StoreIdTokenAsync(work.Provider.Issuer, null,
                WithClaims(idToken, claims => claims[claim] = JsonNode.Parse(json)), null, Cancellation));
        Assert.Equal(
            (reason, $"Pass an ID token that {work.Provider.Issuer} issued to the client {EnterpriseFixture.ClientAtProvider} and that has not expired."),
            (e.Reason, e.Remedy.InShell()));
        Assert.Empty(work.Provider.Traffic.Requests);
        Assert.True(work.Authenticator.IdentityProviders.List()[0].CanRenew);
    }

    [Rule(34)]
    [Fact]
    public async Task ID_token_of_another_program_is_kept_until_it_expires()
    {
        var clock = new ManualTimeProvider();
        await using var work = await EnterpriseFixture.SignedInAsync(clock);
        var idToken = (string)JsonNode.Parse((await Items(work))[IdentitySessionStore.ItemName(work.Provider.Issuer)])!["session"]!["idToken"]!;
        await work.Authenticator.IdentityProviders.SignOutAsync(work.Provider.Issuer, local: true, Cancellation);
        work.Work.Person.CanAnswer = false;
        var e = await Assert.ThrowsAsync<McpAuthException>(() =>
            work.Authenticator.IdentityProviders.StoreIdTokenAsync(work.Provider.Issuer, "another", idToken, null, Cancellation));
        Assert.Equal(ErrorReason.TokenResponseInvalid, e.Reason);
        Assert.DoesNotContain(idToken, e.ToString());
        await work.Authenticator.IdentityProviders.StoreIdTokenAsync(work.Provider.Issuer, null, idToken, null, Cancellation);
        Assert.Equal(AuthState.Authenticated, (await work.LoginAsync(work.One)).Status.State);
        clock.Advance(TimeSpan.FromHours(2));
        Assert.Contains("has ended", (await Assert.ThrowsAsync<McpAuthException>(() => work.Authenticator.Tokens.RenewAsync(work.One, Cancellation))).Message);
    }

    /// <summary>Returns the items of the vault by name.</summary>
    private static async Task<Dictionary<string, string>> Items(EnterpriseFixture work)
    {
        var vault = new VaultSelector(work.Work.Home, [], _ => { }).InUse!;
        var items = new Dictionary<string, string>();
        foreach (var name in await vault.NamesAsync(default))
        {
            items[name] = (await vault.GetAsync(name, default))!;
        }
        return items;
    }

    /// <summary>Returns the token with other claims and its old signature, which no longer matches.</summary>
    internal static string WithClaims(string jwt, Action<JsonObject> change)
    {
        var parts = jwt.Split('.');
        var claims = (JsonObject)JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!;
        change(claims);
        return $"{parts[0]}.{Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes<JsonNode>(claims))}.{parts[2]}";
    }
}

using McpSm.Core.Credentials;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.SignIn;
using McpSm.TestServers;
using McpSm.TestServers.Entra;
using Xunit;

namespace McpSm.Core.Tests.Entra;

/// <summary>Sign-ins of users at Entra ID, and the later use of their credentials.</summary>
public sealed class EntraTests
{
    private static SignInOptions ByDevice(SignInOptions o) => o with { UseDeviceCode = true };

    [Theory]
    [InlineData("https://login.microsoftonline.com/TENANT/v2.0", "login.microsoftonline.com")]
    [InlineData("https://login.microsoftonline.com/TENANT", "login.microsoftonline.com")]
    [InlineData("https://login.microsoftonline.com/organizations/v2.0", "login.microsoftonline.com")]
    [InlineData("https://login.microsoftonline.us/TENANT/v2.0", "login.microsoftonline.us")]
    [InlineData("https://login.partner.microsoftonline.cn/TENANT/v2.0", "login.partner.microsoftonline.cn")]
    [InlineData("https://login.chinacloudapi.cn/TENANT/v2.0", "login.partner.microsoftonline.cn")]
    [InlineData("https://sts.windows.net/TENANT/", "login.microsoftonline.com")]
    public async Task User_signs_in_with_the_browser_by_two_requests_to_the_right_cloud(string issuer, string host)
    {
        issuer = issuer.Replace("TENANT", FakeEntra.Tenant);
        await using var scene = await EntraFixture.StartAsync(issuer);
        var result = await scene.LoginAsync();

        Assert.Equal(AuthState.Authenticated, result.Status.State);
        Assert.Null(result.VerificationFailure);
        Assert.Equal(issuer, result.Status.Issuer);
        Assert.Equal([EntraFixture.Scope], result.Status.Scopes);
        Assert.True(result.Status.CanRenew);
        Assert.InRange((result.Status.ExpiresAt - DateTimeOffset.UtcNow)!.Value.TotalMinutes, 58, 60);
        // Metadata and instance discovery are not requested.
        Assert.Equal(["authorize", "token"], scene.Entra.Traffic.Requests.Select(r => r.Path.Split('/')[^1]));
        Assert.All(scene.Entra.Traffic.Requests, r => Assert.Equal(host, r.Header("Host")));
        Assert.StartsWith($"https://{host}/", Assert.Single(scene.Work.Person.Visited).AbsoluteUri);
        await scene.Work.Person.PageAsync();
        Assert.Contains("Signed in to my-api", scene.Page);
    }

    [Rule(20, 25)]
    [Fact]
    public async Task Authorization_request_has_PKCE_and_scopes_but_no_resource()
    {
        await using var scene = await EntraFixture.SignedInAsync();
        var (authorize, token) = (scene.Entra.Traffic.Requests[0], scene.Entra.Traffic.Requests[1]);
        Assert.Equal("S256", authorize.QueryValue("code_challenge_method"));
        Assert.Equal(new[] { EntraFixture.Scope, "offline_access", "openid", "profile" }, authorize.QueryValue("scope")!.Split(' ').Order());
        Assert.Matches("^http://localhost:[0-9]+$", authorize.QueryValue("redirect_uri"));
        Assert.NotNull(token.FormValue("code_verifier"));
        Assert.False(token.Form.ContainsKey("client_secret"));
    }

    [Fact]
    public async Task Identity_scopes_that_were_asked_for_count_as_granted()
    {
        await using var scene = await EntraFixture.StartAsync(scope: EntraFixture.Scope + " openid");
        await scene.LoginAsync();
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal([EntraFixture.Scope, "openid"], scene.Status.Scopes);
        Assert.Null((await ReadAsync(scene)).DeniedScopes);
    }

    [Fact]
    public async Task User_signs_in_with_another_device()
    {
        await using var scene = await EntraFixture.StartAsync();
        scene.Entra.Tokens.Pending = 1;
        DeviceCode? shown = null;
        scene.Work.Person.Device = code => shown = code;
        // Without a timeout of the user, the whole lifetime of the code is available.
        var result = await scene.LoginAsync(o => ByDevice(o) with { Timeout = SignInOptions.DefaultTimeout });
        Assert.Equal(AuthState.Authenticated, result.Status.State);
        Assert.True(result.Status.CanRenew);
        Assert.Equal("ENTRACODE", shown!.UserCode);
        Assert.Equal("https://microsoft.com/devicelogin", shown.VerificationUri.AbsoluteUri);
        Assert.InRange(shown.Lifetime.TotalSeconds, 890, 900);
        Assert.Equal(["devicecode", "token", "token"], scene.Entra.Traffic.Requests.Select(r => r.Path.Split('/')[^1]));
        Assert.Empty(scene.Work.Person.Visited);
        Assert.NotEqual(await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation),
            (await scene.Work.New().Tokens.RenewNowAsync(scene.Server, Cancellation)).AccessToken);
    }

    [Fact]
    public async Task Sign_in_without_desktop_uses_the_device_code()
    {
        await using var scene = await EntraFixture.StartAsync();
        scene.Work.Variables.Remove("DISPLAY");
        var work = scene.Work.New();
        await work.SignIn.SignInAsync(scene.Server, new SignInOptions(), Cancellation);
        Assert.Equal("devicecode", scene.Entra.Traffic.Requests[0].Path.Split('/')[^1]);
    }

    [Fact]
    public async Task Credential_in_the_vault_is_renewed_by_another_process()
    {
        await using var scene = await EntraFixture.SignedInAsync();
        var first = await scene.Authenticator.Tokens.GetTokenAsync(scene.Server, Cancellation);
        var renewed = await scene.Work.New().Tokens.RenewNowAsync(scene.Server, Cancellation);
        Assert.NotEqual(first, renewed.AccessToken);
        var request = Assert.Single(scene.Entra.Traffic.OfGrant("refresh_token"));
        Assert.Equal($"/{FakeEntra.Tenant}/oauth2/v2.0/token", request.Path);
        Assert.Contains(EntraFixture.Scope, request.FormValue("scope")!.Split(' '));
        // The next renewal sends the refresh token of the last response.
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal(2, scene.Entra.Traffic.OfGrant("refresh_token").Select(r => r.FormValue("refresh_token")).Distinct().Count());
        Assert.Equal([EntraFixture.Scope], scene.Status.Scopes);
        Assert.All(scene.Entra.Traffic.OfGrant("refresh_token"), r => Assert.False(r.Form.ContainsKey("resource")));
    }

    [Fact]
    public async Task Token_near_expiry_is_renewed_before_it_is_returned()
    {
        await using var scene = await EntraFixture.StartAsync();
        scene.Entra.Tokens.Lifetime = 1;
        await scene.LoginAsync();
        scene.Entra.Tokens.Lifetime = 3600;
        await Task.Delay(TimeSpan.FromSeconds(1.2), Cancellation);
        var given = await scene.Work.New().Tokens.GetTokenAsync(scene.Server, Cancellation);
        Assert.NotNull(scene.Entra.Tokens.Introspect(given, "x"));
        Assert.Single(scene.Entra.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Credential_of_a_shared_tenant_is_renewed_in_the_tenant_of_the_user()
    {
        await using var scene = await EntraFixture.SignedInAsync("https://login.microsoftonline.com/organizations/v2.0");
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.Equal($"/{FakeEntra.Tenant}/oauth2/v2.0/token", Assert.Single(scene.Entra.Traffic.OfGrant("refresh_token")).Path);
    }

    [Fact]
    public async Task Concurrent_renewals_send_one_refresh_token()
    {
        await using var scene = await EntraFixture.SignedInAsync();
        var seen = await ReadAsync(scene);
        var both = await Task.WhenAll(scene.Work.New().Tokens.RenewAsync(scene.Server, seen, Cancellation),
            scene.Work.New().Tokens.RenewAsync(scene.Server, seen, Cancellation));
        Assert.Equal(both[0].AccessToken, both[1].AccessToken);
        Assert.Single(scene.Entra.Traffic.OfGrant("refresh_token"));
    }

    [Fact]
    public async Task Token_cache_is_in_the_credential_without_access_token()
    {
        await using var scene = await EntraFixture.SignedInAsync();
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        var credential = await ReadAsync(scene);
        var cache = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(credential.RefreshToken!));
        Assert.Single(scene.Entra.Tokens.All, cache.Contains);
        Assert.DoesNotContain(credential.AccessToken, cache);
        var files = Directory.EnumerateFiles(scene.Work.Folder, "*", SearchOption.AllDirectories).Select(File.ReadAllText);
        Assert.DoesNotContain(files, f => scene.Entra.Tokens.All.Any(f.Contains) || f.Contains(credential.RefreshToken!));
    }

    [Fact]
    public async Task Credential_without_refresh_token_cannot_be_renewed()
    {
        await using var scene = await EntraFixture.StartAsync();
        scene.Entra.Tokens.GivesRefresh = false;
        await scene.LoginAsync();
        Assert.False(scene.Status.CanRenew);
        Assert.Equal(ErrorReason.AuthenticationRequired,
            (await Assert.ThrowsAsync<McpAuthException>(() => scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation))).Reason);
    }

    [Fact]
    public async Task Sign_out_removes_the_credential_and_says_that_Entra_cannot_revoke()
    {
        await using var scene = await EntraFixture.SignedInAsync();
        var requests = scene.Entra.Traffic.Requests.Count;
        var result = await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation);
        Assert.True(result.HadOAuth);
        Assert.Contains("does not support revocation", result.RevocationFailure);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
        Assert.Equal(requests, scene.Entra.Traffic.Requests.Count);
        Assert.Equal(ErrorReason.AuthenticationRequired,
            (await Assert.ThrowsAsync<McpAuthException>(() => scene.Work.New().Tokens.GetTokenAsync(scene.Server, Cancellation))).Reason);
    }

    [Fact]
    public async Task Pasted_redirect_signs_the_user_in()
    {
        await using var scene = await EntraFixture.StartAsync();
        scene.Work.Person.ReadRedirect = async ct =>
        {
            using var answer = await new HttpClient(scene.Entra.NewTransport()).GetAsync(scene.Work.Person.Shown, ct);
            return answer.Headers.Location!.AbsoluteUri;
        };
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync(o => o with { NoBrowser = true })).Status.State);
        Assert.Empty(scene.Work.Person.Visited);
    }

    private static async Task<OAuthCredential> ReadAsync(EntraFixture scene) => (await scene.Work.Store.ReadAsync(scene.Server, default))!.OAuth!;
}

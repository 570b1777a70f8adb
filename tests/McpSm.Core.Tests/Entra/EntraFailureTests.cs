using McpSm.Core.Browsing;
using McpSm.Core.Errors;
using McpSm.Core.SignIn;
using McpSm.Core.Tests.Errors;
using McpSm.TestServers;
using McpSm.TestServers.Entra;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.Entra;

/// <summary>Failures at Entra ID: each causes one clear error that contains no secret.</summary>
public sealed class EntraFailureTests
{
    private const string Token = $"/{FakeEntra.Tenant}/oauth2/v2.0/token";

    [Fact]
    public async Task Missing_client_id_explains_how_to_register_an_app()
    {
        await using var scene = await EntraFixture.StartAsync(server: s => s);
        var failure = await scene.FailsAsync();
        Assert.Equal(ErrorReason.ClientRegistrationFailed, failure.Reason);
        Assert.Contains("https://portal.azure.com", failure.Remedy.InShell());
        Assert.Contains("redirect URI http://localhost)", failure.Remedy.InShell());
        Assert.Contains("mcpsm server update my-api --client-id", failure.Remedy.InShell());
        Assert.Empty(scene.Entra.Traffic.Requests);
        Assert.Empty(scene.Work.Person.Visited);
    }

    [Rule(22)]
    [Theory]
    [InlineData("https://graph.microsoft.com/Mail.Read")]
    [InlineData("https://graph.microsoft.com/.default")]
    [InlineData("00000003-0000-0000-c000-000000000000/.default")]
    [InlineData("Mail.Read")]
    [InlineData("https://127.0.0.1.evil.example/.default")]
    [InlineData("http://127.0.0.1/.default")]
    [InlineData("api://my-api/mcp.tools https://management.azure.com/.default")]
    public async Task Scope_of_a_foreign_API_named_by_the_server_is_refused(string scope)
    {
        await using var scene = await EntraFixture.StartAsync(scope: scope);
        var failure = await scene.FailsAsync();
        Assert.Equal(ErrorReason.ResourceMismatch, failure.Reason);
        Assert.Contains("mcpsm server update my-api --scope " + scope.Split(' ')[^1], failure.Remedy.InShell());
        Assert.Empty(scene.Entra.Traffic.Requests);
        Assert.Empty(scene.Work.Person.Visited);
    }

    [Fact]
    public async Task Scope_with_shell_syntax_is_not_part_of_the_suggested_command()
    {
        await using var scene = await EntraFixture.StartAsync(scope: "https://evil.example/$(touch${IFS}x)");
        Assert.EndsWith("mcpsm server update my-api --scope <scope>", (await scene.FailsAsync()).Remedy.InShell());
    }

    [Rule(22)]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Scope_of_another_servers_API_is_refused(bool signedIn)
    {
        await using var scene = await EntraFixture.StartAsync(server: s =>
            new(s) { ClientId = FakeEntra.Person, Scopes = signedIn ? [] : ["api://my-api/.default"] });
        if (signedIn)
        {
            await scene.LoginAsync();
        }
        await using var second = await TestMcpServer.StartAsync(new TestMcpServerOptions { Issuers = scene.Resource.Issuers, Scope = "api://MY-API/.default" });
        var other = await scene.Work.AddAsync(second.McpUrl, s => new(s) { Name = "liar", ClientId = FakeEntra.Person });
        scene.Entra.Traffic.Clear();
        var failure = await Assert.ThrowsAsync<McpAuthException>(() => scene.Work.LoginAsync(other));
        Assert.Equal(ErrorReason.ResourceMismatch, failure.Reason);
        Assert.Contains("which is the API of 'my-api'", failure.Message);
        Assert.EndsWith("mcpsm server update liar --scope api://MY-API/.default", failure.Remedy.InShell());
        Assert.Empty(scene.Entra.Traffic.Requests);

        // The user names the scope, so it is allowed.
        second.Introspect = token => scene.Entra.Tokens.Introspect(token, second.Resource);
        await scene.Authenticator.Catalog.UpdateAsync(other.Id, s => new(s) { Scopes = ["api://my-api/.default"] }, Cancellation);
        Assert.Equal(AuthState.Authenticated, (await scene.Work.LoginAsync(scene.Authenticator.Catalog.Get(other.Id))).Status.State);
    }

    [Fact]
    public async Task Scope_named_by_the_user_is_requested()
    {
        await using var scene = await EntraFixture.StartAsync(scope: "https://graph.microsoft.com/Mail.Read",
            server: s => new(s) { ClientId = FakeEntra.Person, Scopes = ["https://graph.microsoft.com/Mail.Read"] });
        Assert.Equal(["https://graph.microsoft.com/Mail.Read"], (await scene.LoginAsync()).Status.Scopes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("openid offline_access")]
    public async Task Missing_API_scope_explains_how_to_name_one(string scope)
    {
        await using var scene = await EntraFixture.StartAsync(scope: scope);
        var failure = await scene.FailsAsync();
        Assert.Equal(ErrorReason.InsufficientScope, failure.Reason);
        Assert.Contains("mcpsm server update my-api --scope api://", failure.Remedy.InShell());
        Assert.Empty(scene.Entra.Traffic.Requests);
    }

    [Rule(32)]
    [Theory]
    [InlineData("access_denied", ErrorReason.AuthorizationDenied)]
    [InlineData("invalid_scope", ErrorReason.InsufficientScope)]
    [InlineData("temporarily_unavailable", ErrorReason.ServerUnreachable)]
    public async Task Refusal_in_the_browser_is_reported(string error, ErrorReason reason)
    {
        await using var scene = await EntraFixture.StartAsync();
        scene.Entra.Tokens.Denies = error;
        var failure = await scene.FailsAsync();
        Assert.Equal(reason, failure.Reason);
        Assert.Contains($"{error}: AADSTS65004: the user declined", failure.Message);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Fact]
    public async Task Device_code_that_is_declined_is_a_denial()
    {
        await using var scene = await EntraFixture.StartAsync();
        scene.Entra.Tokens.Denies = "authorization_declined";
        Assert.Equal(ErrorReason.AuthorizationDenied, (await scene.FailsAsync(o => o with { UseDeviceCode = true })).Reason);
    }

    [Rule(31)]
    [Fact]
    public async Task Callback_with_wrong_state_is_refused_and_the_wait_goes_on()
    {
        await using var scene = await EntraFixture.StartAsync();
        scene.Work.Person.Browse = async url =>
        {
            using var wrong = await scene.Entra.ClickThroughAsync(url, back => new UriBuilder(back) { Query = "code=x&state=wrong" }.Uri);
            Assert.Equal(400, (int)wrong.StatusCode);
            using var right = await scene.Entra.ClickThroughAsync(url);
            Assert.Equal(200, (int)right.StatusCode);
        };
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
    }

    [Rule(17)]
    [Theory]
    [InlineData("https://issuer.example")]
    [InlineData("https://login.microsoftonline.com.evil.example/8e1b7a52-6c3f-4f0e-9d0a-2f6f3a1c5b77/v2.0")]
    [InlineData("https://login.microsoftonline.us/8e1b7a52-6c3f-4f0e-9d0a-2f6f3a1c5b77/v2.0")]
    [InlineData("https://login.microsoftonline.com/00000000-6c3f-4f0e-9d0a-2f6f3a1c5b77/v2.0")]
    [InlineData("https://login.microsoftonline.com/organizations/v2.0")]
    [InlineData("")]
    public async Task Callback_of_another_issuer_sends_no_code(string iss)
    {
        await using var scene = await EntraFixture.StartAsync();
        AnswerFrom(scene, iss);
        Assert.Equal(ErrorReason.IssuerMismatch, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Entra.Traffic.OfGrant("authorization_code"));
    }

    [Rule(17)]
    [Theory]
    [InlineData(FakeEntra.Tenant)]
    [InlineData("organizations")]
    [InlineData("contoso.onmicrosoft.com")]
    public async Task Callback_of_the_tenant_of_the_user_signs_in(string tenant)
    {
        await using var scene = await EntraFixture.StartAsync($"https://login.microsoftonline.com/{tenant}/v2.0");
        AnswerFrom(scene, $"https://login.microsoftonline.com/{FakeEntra.Tenant}/v2.0");
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
    }

    [Fact]
    public async Task Sign_in_without_response_ends_with_a_timeout()
    {
        await using var scene = await EntraFixture.StartAsync();
        scene.Work.Person.Browse = _ => Task.CompletedTask;
        var failure = await scene.FailsAsync(o => o with { Timeout = TimeSpan.FromMilliseconds(800) });
        Assert.Equal(ErrorReason.AuthenticationTimeout, failure.Reason);
        scene.Entra.Tokens.Pending = 1000;
        Assert.Equal(ErrorReason.AuthenticationTimeout,
            (await scene.FailsAsync(o => o with { Timeout = TimeSpan.FromMilliseconds(800), UseDeviceCode = true })).Reason);
    }

    [Fact]
    public async Task Ctrl_C_ends_the_sign_in_as_a_cancellation()
    {
        await using var scene = await EntraFixture.StartAsync();
        using var stop = new CancellationTokenSource();
        scene.Work.Person.Browse = _ => stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            scene.Authenticator.SignIn.SignInAsync(scene.Server, new SignInOptions { CallbackPort = 0 }, stop.Token)
                .WaitAsync(TimeSpan.FromSeconds(10), Cancellation));
    }

    [Fact]
    public async Task Refresh_token_that_Entra_rejects_is_removed()
    {
        await using var scene = await EntraFixture.SignedInAsync();
        scene.Entra.Tokens.RevokeAll();
        var failure = await Assert.ThrowsAsync<McpAuthException>(() => scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal(ErrorReason.RefreshTokenRejected, failure.Reason);
        Assert.Equal("invalid_grant", failure.OAuthError);
        Assert.Contains("AADSTS50173", failure.Message);
        Assert.Equal("mcpsm auth login my-api", failure.Remedy.InShell());
        Assert.False(scene.Status.CanRenew);
        // A new sign-in repairs it at once.
        await scene.LoginAsync();
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [Theory]
    [InlineData("""{"error":"interaction_required","error_description":"AADSTS50076: a second factor","suberror":"basic_action"}""")]
    [InlineData("""{"error":"invalid_grant","error_description":"AADSTS50076: a second factor","suberror":"basic_action"}""")]
    [InlineData("""{"error":"invalid_grant","error_description":"AADSTS65001: consent","suberror":"consent_required"}""")]
    public async Task Renewal_that_needs_the_user_keeps_the_credential(string answer)
    {
        await using var scene = await EntraFixture.SignedInAsync();
        scene.Entra.Faults.Answer(Token, 400, answer);
        // The second time, the library answers from its memory.
        for (var i = 0; i < 2; i++)
        {
            var failure = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
            Assert.Equal(ErrorReason.AuthenticationRequired, failure.Reason);
            Assert.Contains("AADSTS", failure.Message);
            Assert.Equal("mcpsm auth login my-api", failure.Remedy.InShell());
            Assert.True(scene.Status.CanRenew);
        }
    }

    [Fact]
    public async Task Lost_response_keeps_the_credential_and_marks_the_renewal_uncertain()
    {
        await using var scene = await EntraFixture.SignedInAsync();
        scene.Entra.Faults.DropConnectionAfterHandling(Token, times: 1);
        var failure = await Assert.ThrowsAsync<McpAuthException>(() => scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal(ErrorReason.ServerUnreachable, failure.Reason);
        Assert.True(scene.Status.RenewalUncertain);
        Assert.True(scene.Status.CanRenew);
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        Assert.False(scene.Status.RenewalUncertain);
    }

    [Theory]
    [InlineData(200, "<html>SECRET</html>")]
    [InlineData(200, "")]
    [InlineData(200, "[]")]
    [InlineData(200, "null")]
    [InlineData(200, """{"token_type":"Bearer","expires_in":3600}""")]
    [InlineData(200, """{"access_token":"","token_type":"Bearer","expires_in":3600}""")]
    [InlineData(200, """{"access_token":"a b","token_type":"Bearer","expires_in":3600,"client_info":"eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ"}""")]
    [InlineData(200, """{"access_token":"SECRET","token_type":"mac","expires_in":3600,"client_info":"eyJ1aWQiOiJ1IiwidXRpZCI6InQifQ"}""")]
    [InlineData(200, """{"access_token":"SECRET","token_type":"Bearer","expires_in":"soon"}""")]
    [InlineData(200, """{"access_token":"SECRET","token_type":"Bearer","expires_in":3600,"id_token":"SECRET.x.y","client_info":"!"}""")]
    [InlineData(200, """{"error":"invalid_grant","refresh_token":"SECRET"}""")]
    [InlineData(400, "SECRET")]
    [InlineData(400, """{"access_token":"SECRET"}""")]
    [InlineData(307, "SECRET")]
    [InlineData(404, "<html>SECRET</html>")]
    public async Task Invalid_token_response_stores_nothing_and_is_not_quoted(int status, string body)
    {
        await using var scene = await EntraFixture.StartAsync();
        scene.Entra.Faults.Intercept(Token, context =>
        {
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json";
            context.Response.Headers.Location = "https://evil.example/SECRET";
            return context.Response.WriteAsync(body);
        });
        var failure = await scene.FailsAsync();
        Assert.True(failure.Reason is ErrorReason.TokenResponseInvalid or ErrorReason.ProtocolViolation, failure.Message);
        Assert.DoesNotContain("SECRET", failure.ToString());
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Fact]
    public async Task Token_response_over_1_MiB_is_not_read()
    {
        await using var scene = await EntraFixture.StartAsync();
        scene.Entra.Faults.Answer(Token, 200, new string(' ', 2 * 1024 * 1024));
        var failure = await scene.FailsAsync();
        Assert.Equal(ErrorReason.TokenResponseInvalid, failure.Reason);
        Assert.Contains("more than 1 MiB", failure.Message);
    }

    [Fact]
    public async Task Overload_of_Entra_keeps_the_credential()
    {
        await using var scene = await EntraFixture.SignedInAsync();
        scene.Entra.Faults.Answer(Token, 503, "<html>SECRET</html>");
        for (var i = 0; i < 2; i++)
        {
            var failure = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
            Assert.Equal(ErrorReason.ServerUnreachable, failure.Reason);
            Assert.DoesNotContain("SECRET", failure.ToString());
            Assert.True(scene.Status.CanRenew);
        }
    }

    [Fact]
    public async Task Requested_port_that_is_taken_is_reported()
    {
        await using var scene = await EntraFixture.StartAsync();
        using var listener = CallbackListener.TryBind(0, TimeProvider.System)!;
        var failure = await scene.FailsAsync(o => o with { CallbackPort = listener.Port });
        Assert.Equal(ErrorReason.CallbackPortInUse, failure.Reason);
        Assert.Empty(scene.Entra.Traffic.Requests);
    }

    [Fact]
    public async Task Stored_text_that_is_not_a_cache_asks_for_sign_in()
    {
        await using var scene = await EntraFixture.SignedInAsync();
        var store = scene.Work.Store;
        var item = (await store.ReadAsync(scene.Server, Cancellation))!;
        foreach (var stored in new[] { "0.AVY-a-refresh-token-of-another-program", Convert.ToBase64String("{}"u8), Convert.ToBase64String("[]"u8) })
        {
            await store.WriteAsync(scene.Server, item with { OAuth = item.OAuth! with { RefreshToken = stored } }, null, Cancellation);
            var failure = await Assert.ThrowsAsync<McpAuthException>(() => scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation));
            Assert.Equal(ErrorReason.RefreshTokenRejected, failure.Reason);
            Assert.DoesNotContain(stored, failure.ToString());
            Assert.False(scene.Status.CanRenew);
        }
    }

    private static void AnswerFrom(EntraFixture scene, string iss) => scene.Work.Person.Browse = async url =>
        (await scene.Entra.ClickThroughAsync(url, back => new Uri($"{back.AbsoluteUri}&iss={Uri.EscapeDataString(iss)}"))).Dispose();
}

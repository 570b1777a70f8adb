using McpSm.Core.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.Grants;

/// <summary>The text of an OAuth error, in the various members that issuers use for it.</summary>
public sealed class OAuthErrorTextTests
{
    public static TheoryData<string> Bodies =>
    [
        """{"error":"invalid_request","error_description":"The client is gone."}""",
        """{"error_summary":"The client is gone."}""",
        """{"errorCode":"E0000021","errorSummary":"The client is gone.","errorCauses":[]}""",
        """{"message":"The client is gone."}""",
        """{"Message":"The client is gone."}""",
        """{"code":4001,"msg":"The client is gone."}""",
        """{"statusCode":400,"message":["The client is gone."],"error":"Bad Request"}""",
        """{"detail":"The client is gone."}""",
        """{"detail":[{"loc":["body"],"msg":"The client is gone."}]}""",
        """{"type":"about:blank","title":"Refused","detail":"The client is gone."}""",
        """{"title":"The client is gone."}""",
        """{"title":"Refused","errors":{"client_id":["The client is gone."]}}""",
        """{"error":{"message":"The client is gone."}}""",
        """{"error":{"code":403,"status":"PERMISSION_DENIED","message":"The client is gone."}}""",
        """{"error":{"type":"invalid_request_error","message":"The client is gone."}}""",
        """{"errors":["The client is gone."]}""",
        """{"errors":[{"message":"The client is gone."},{"detail":"And so are you."}]}""",
        """{"errors":[{"error":{"message":"The client is gone."}}]}""",
        """[{"message":"The client is gone."}]""",
        """{"errorCauses":[{"errorSummary":"The client is gone."}]}""",
        """{"fault":{"faultstring":"The client is gone.","detail":{"errorcode":"x"}}}""",
        """{"error":"x","message":"The client is gone."}""",
    ];

    [Rule(32)]
    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Error_text_of_the_token_endpoint_is_shown(string body)
    {
        await using var scene = await SignInFixture.StartAsync();
        foreach (var status in new[] { 400, 401, 403, 422, 429, 500, 200 })
        {
            if (status == 200 && !body.StartsWith("{\"error\":", StringComparison.Ordinal))
            {
                continue;
            }
            scene.Issuer.Faults.Clear();
            scene.Issuer.Faults.Answer("/token", status, body, status == 422 ? "application/problem+json" : "application/json");
            var e = await scene.FailsAsync();
            Assert.Contains("The client is gone", e.Message);
            AssertSentences(e.Message);
        }
    }

    [Rule(32)]
    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Error_text_of_the_registration_is_shown(string body)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.Answer("/register", 400, body);
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.ClientRegistrationFailed, e.Reason);
        Assert.Contains("The client is gone", e.Message);
        AssertSentences(e.Message);
    }

    [Rule(32)]
    [Theory]
    [MemberData(nameof(Bodies))]
    public async Task Error_text_of_device_endpoint_and_revocation_is_shown(string body)
    {
        await using var scene = await SignInFixture.SignedInAsync(new() { SupportsDeviceCode = true });
        scene.Issuer.Faults.Answer("/device_authorization", 400, body);
        Assert.Contains("The client is gone", (await scene.FailsAsync(o => o with { UseDeviceCode = true })).Message);
        scene.Issuer.Faults.Answer("/revoke", 400, body);
        var failure = (await scene.Authenticator.SignIn.SignOutAsync(scene.Server, false, Cancellation)).RevocationFailure;
        Assert.Contains("The client is gone", failure);
        AssertSentences(failure!);
    }

    [Rule(32)]
    [Theory]
    [InlineData("error=access_denied&error_description=The+client+is+gone.", "The issuer denied the request: access_denied: The client is gone.")]
    [InlineData("error=access_denied&error_description=Why%3F", "The issuer denied the request: access_denied: Why?")]
    [InlineData("error=server_error&errorMessage=The+client+is+gone", "The issuer denied the request: server_error: The client is gone.")]
    [InlineData("error=access_denied&message=%1B%5B31m%E2%80%AEgone%0A", "The issuer denied the request: access_denied: [31m gone.")]
    [InlineData("error=access_denied", "The issuer denied the request: access_denied.")]
    [InlineData("message=The+client+is+gone.", "The issuer's response has neither a code nor an error. It says: The client is gone.")]
    public async Task Error_text_of_the_callback_is_shown(string query, string message)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteRedirect("/authorize", location =>
            System.Text.RegularExpressions.Regex.Replace(location, "code=[^&]*", query.Replace("$", "$$")));
        Assert.Equal(message, (await scene.FailsAsync()).Message);
    }

    [Theory]
    [InlineData("{}", "application/json")]
    [InlineData("""{"error":""}""", "application/json")]
    [InlineData("""{"errors":[]}""", "application/json")]
    [InlineData("""{"code":7}""", "application/json")]
    [InlineData("""{"message":" "}""", "application/json")]
    [InlineData("[]", "application/json")]
    [InlineData("""{"message":"\ud800"}""", "application/json")]
    [InlineData("", "text/plain")]
    [InlineData("<html><b>Secret page</b></html>", "text/html")]
    [InlineData("<html><b>Secret page</b></html>", "text/plain")]
    public async Task Refusal_without_text_says_so(string body, string type)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.Answer("/token", 400, body, type);
        Assert.Equal("The issuer answered 400 Bad Request without a reason.", (await scene.FailsAsync()).Message);
    }

    [Fact]
    public async Task Plain_text_refusal_shows_its_first_line()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.Answer("/token", 403, "\r\nBlocked by policy 7\r\n   at Gateway.Check()", "text/plain");
        Assert.Equal("The issuer answered 403 Forbidden: Blocked by policy 7.", (await scene.FailsAsync()).Message);
    }

    [Rule(32)]
    [Theory]
    [InlineData("message")]
    [InlineData("errorSummary")]
    [InlineData("detail")]
    public async Task Error_text_is_cleaned_and_secrets_are_removed(string member)
    {
        await using var scene = await SignInFixture.StartAsync();
        string? code = null;
        scene.Issuer.Faults.Intercept("/token", async context =>
        {
            code = (await context.Request.ReadFormAsync())["code"];
            context.Response.StatusCode = 400;
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(System.Text.Json.JsonSerializer.Serialize(new Dictionary<string, string>
            {
                [member] = $"\u001b[31mno {code}\u202e\u0007\u009b{new string('x', 500)}",
            }));
        });
        var e = await scene.FailsAsync();
        Assert.DoesNotContain(code!, e.Message);
        Assert.DoesNotContain(e.Message, c => char.IsControl(c) || c == '\u202e');
        Assert.True(e.Message.Length < 400);
    }

    private static void AssertSentences(string message)
    {
        Assert.DoesNotContain("..", message);
        Assert.EndsWith(".", message);
    }
}

using System.Web;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Http;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Grants;

/// <summary>Authorization responses of an issuer, and the checks that they must pass.</summary>
public sealed class AuthorizationAnswerTests
{
    [Rule(17)]
    [Theory]
    [InlineData(true, false, true)]
    [InlineData(true, true, false)]
    [InlineData(false, false, false)]
    public async Task Token_endpoint_on_another_site_is_announced_if_iss_is_not_promised(bool elsewhere, bool promised, bool isAnnounced)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json =>
        {
            json["token_endpoint"] = elsewhere ? ((string)json["token_endpoint"]!).Replace("127.0.0.1", "localhost") : json["token_endpoint"]!.DeepClone();
            json["authorization_response_iss_parameter_supported"] = promised;
        });
        var sent = 0;
        scene.Issuer.Faults.Before("/token", _ =>
        {
            sent += scene.Person.Warnings.Count(n => n.Contains("another site"));
            return Task.CompletedTask;
        });
        await scene.LoginAsync();
        Assert.Equal(isAnnounced ? 1 : 0, sent);
        Assert.Equal(isAnnounced ? 1 : 0, scene.Person.Warnings.Count(n => n.Contains("127.0.0.1") && n.Contains("localhost")));
    }

    /// <summary>Changes parameters of the authorization response. A null value removes the parameter.</summary>
    private static void ChangeResponse(SignInFixture scene, params (string Name, string? Value)[] changes) =>
        scene.Issuer.Faults.RewriteRedirect("/authorize", location =>
        {
            var url = new Uri(location);
            var values = HttpUtility.ParseQueryString(url.Query);
            foreach (var (name, value) in changes)
            {
                values.Remove(name);
                if (value is not null)
                {
                    values.Add(name, value);
                }
            }
            var query = values.AllKeys.Select(k => $"{k}={Uri.EscapeDataString(values[k]!)}");
            return $"{url.GetLeftPart(UriPartial.Path)}?{string.Join('&', query)}";
        });

    [Rule(17, 19)]
    [Theory]
    [InlineData("https://evil.example")]
    [InlineData(null)]
    public async Task Wrong_or_missing_iss_is_rejected_and_the_code_is_not_sent(string? iss)
    {
        await using var scene = await SignInFixture.StartAsync();
        ChangeResponse(scene, ("iss", iss));
        Assert.Equal(ErrorReason.IssuerMismatch, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Issuer.Traffic.To("/token"));
    }

    [Rule(17)]
    [Fact]
    public async Task Missing_iss_that_was_not_promised_is_accepted()
    {
        await using var scene = await SignInFixture.SignedInAsync(new() { AdvertiseIss = false });
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
    }

    [Rule(17)]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Present_iss_that_was_not_promised_is_compared(bool right)
    {
        await using var scene = await SignInFixture.StartAsync(new() { AdvertiseIss = false });
        ChangeResponse(scene, ("iss", right ? scene.Issuer.Issuer : "https://evil.example"));
        if (right)
        {
            await scene.LoginAsync();
            return;
        }
        Assert.Equal(ErrorReason.IssuerMismatch, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Issuer.Traffic.To("/token"));
    }

    [Rule(18)]
    [Theory]
    [InlineData("https://issuer.example", "https://issuer.example", true)]
    [InlineData("https://issuer.example/a%7Eb", "https://issuer.example/a%7Eb", true)]
    [InlineData("https://issuer.example", "https://issuer.example/", false)]
    [InlineData("https://issuer.example/", "https://issuer.example", false)]
    [InlineData("https://issuer.example", "https://Issuer.example", false)]
    [InlineData("https://issuer.example", "HTTPS://issuer.example", false)]
    [InlineData("https://issuer.example", "https://issuer.example:443", false)]
    [InlineData("https://issuer.example:443", "https://issuer.example", false)]
    [InlineData("https://issuer.example/a~b", "https://issuer.example/a%7Eb", false)]
    [InlineData("https://issuer.example/a%2fb", "https://issuer.example/a%2Fb", false)]
    [InlineData("https://issuer.example/a", "https://issuer.example/x/../a", false)]
    [InlineData("https://issuer.example", "", false)]
    public void Value_of_iss_is_compared_as_a_string(string issuer, string iss, bool same)
    {
        var request = new AuthorizationCodeRequest(
            new AuthorizationServerMetadata { Issuer = issuer, TokenEndpoint = issuer, AuthorizationEndpoint = issuer },
            new ClientIdentity(ClientKind.Dynamic, "client", null, ClientIdentity.None), "http://127.0.0.1:1/callback",
            "https://server.example/mcp", [], SenderConstraint.None, new UrlPolicy(new Uri("https://server.example/mcp")));
        var answer = new Dictionary<string, string> { ["code"] = "c", ["state"] = request.State, ["iss"] = iss };
        if (same)
        {
            Assert.Equal("c", request.Validate(answer));
            return;
        }
        Assert.Equal(ErrorReason.IssuerMismatch, Assert.Throws<McpAuthException>(() => request.Validate(answer)).Reason);
    }

    [Rule(19)]
    [Fact]
    public async Task Error_of_a_response_with_wrong_iss_is_ignored_and_not_shown()
    {
        await using var scene = await SignInFixture.StartAsync();
        ChangeResponse(scene, ("iss", "https://evil.example"), ("code", null), ("error", "invalid_client"), ("error_description", "planted words"));
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.IssuerMismatch, e.Reason);
        Assert.Null(e.OAuthError);
        Assert.Equal(1, scene.Issuer.Traffic.Count("/register"));
        foreach (var shown in new[] { e.ToString(), e.Remedy.InShell()!, await scene.Person.PageAsync() })
        {
            Assert.DoesNotContain("planted", shown);
            Assert.DoesNotContain("invalid_client", shown);
            Assert.DoesNotContain("evil.example", shown);
        }
    }

    [Rule(32)]
    [Fact]
    public async Task Refusal_with_control_characters_is_shown_without_them()
    {
        await using var scene = await SignInFixture.StartAsync();
        ChangeResponse(scene, ("code", null), ("error", "access_denied"), ("error_description", "not \x1b[31mtoday"));
        var e = await scene.FailsAsync();
        Assert.Equal((ErrorReason.AuthorizationDenied,
            $"Ask the operator of the issuer {scene.Issuer.Issuer} for access, or sign in there with another account."), (e.Reason, e.Remedy.InShell()));
        Assert.Contains("not [31mtoday", e.Message);
        Assert.DoesNotContain('\x1b', e.Message);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    public async Task Response_without_code_and_error_is_a_protocol_violation(string? code)
    {
        await using var scene = await SignInFixture.StartAsync();
        ChangeResponse(scene, ("code", code));
        Assert.Equal(ErrorReason.ProtocolViolation, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Issuer.Traffic.To("/token"));
        Assert.Contains("Not signed in to my-api", await scene.Person.PageAsync());
    }
}

using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace McpSm.Core.Tests.Registration;

/// <summary>Issuers that refuse one field of a registration (RFC 7591 sections 2 and 3.2.2), and other responses to it.</summary>
public sealed class RegistrationRefusalTests
{
    /// <summary>Makes the issuer answer 400 with the JSON that <paramref name="refusal"/> returns, or register if it returns null.</summary>
    private static void Refuse(SignInFixture scene, Func<JsonObject, string?> refusal) => scene.Issuer.Faults.Before("/register", async context =>
    {
        var asked = JsonNode.Parse(scene.Issuer.Traffic.To("/register")[^1].Body)!.AsObject();
        if (refusal(asked) is { } body)
        {
            scene.Issuer.Faults.Answer("/register", 400, body, times: 1);
        }
        await Task.CompletedTask;
    });

    private static List<JsonObject> Asked(SignInFixture scene) => [.. scene.Issuer.Traffic.To("/register").Select(r => r.Json!.AsObject())];

    private static string[] Texts(JsonNode? array) => [.. array!.AsArray().Select(v => (string)v!)];

    private static string Refusal(string code, string words = "") => $$"""{"error":"{{code}}","error_description":"{{words}}"}""";

    /// <summary>Returns the names of the fields that differ between two requests.</summary>
    private static IEnumerable<string> Differences(JsonObject one, JsonObject other) => one.Select(m => m.Key).Union(other.Select(m => m.Key))
        .Where(name => !JsonNode.DeepEquals(one[name], other[name]));

    private static void ChangeOneFieldEach(SignInFixture scene, params string[] fields)
    {
        var asked = Asked(scene);
        Assert.Equal(fields, asked.Zip(asked.Skip(1)).Select(pair => Assert.Single(Differences(pair.First, pair.Second))));
    }

    [FieldFault(32)]
    [Rule(14)]
    [Theory]
    [InlineData("invalid_client_metadata", "scope is required")]
    [InlineData("invalid_client_metadata", "")]
    [InlineData("invalid_scope", "")]
    [InlineData("invalid_request", "Missing field: Scope")]
    public async Task Required_scope_is_registered_from_the_requested_scopes(string code, string words)
    {
        await using var scene = await SignInFixture.StartAsync();
        Refuse(scene, asked => asked["scope"] is null ? Refusal(code, words) : null);
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
        ChangeOneFieldEach(scene, "scope");
        Assert.Equal("mcp:tools", (string?)Asked(scene)[1]["scope"]);
        await scene.LoginAsync();
        Assert.Equal(2, Asked(scene).Count);
    }

    [Rule(14)]
    [Fact]
    public async Task Required_scope_is_registered_from_the_issuer_if_none_is_requested()
    {
        await using var scene = await SignInFixture.StartAsync(new() { ScopesSupported = ["a", "b"] }, new() { Scope = "" });
        scene.Resource.Faults.RewriteJson("/.well-known", json => json["scopes_supported"] = null);
        Refuse(scene, asked => asked["scope"] is null ? Refusal("invalid_client_metadata", "scope is required") : null);
        await scene.LoginAsync();
        Assert.Equal("a b", (string?)Asked(scene)[^1]["scope"]);
    }

    [Rule(14)]
    [Fact]
    public async Task Issuer_without_the_refresh_token_grant_is_not_asked_for_it()
    {
        await using var scene = await SignInFixture.StartAsync(new() { IssueRefreshTokens = false });
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["grant_types_supported"] = new JsonArray("authorization_code"));
        await scene.LoginAsync();
        Assert.Equal(["authorization_code"], Texts(Assert.Single(Asked(scene))["grant_types"]));
    }

    [FieldFault(32)]
    [Rule(14)]
    [Theory]
    [InlineData("invalid_client_metadata", "grant_types: refresh_token is not allowed")]
    [InlineData("invalid_client_metadata", "Unsupported grant type")]
    [InlineData("unsupported_grant_type", "")]
    public async Task Issuer_that_refuses_refresh_tokens_is_asked_without_them(string code, string words)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json.Remove("grant_types_supported"));
        Refuse(scene, asked => Texts(asked["grant_types"]).Contains("refresh_token") ? Refusal(code, words) : null);
        Assert.False((await scene.LoginAsync()).Status.CanRenew);
        ChangeOneFieldEach(scene, "grant_types");
    }

    [FieldFault(31)]
    [Rule(14, 26)]
    [Theory]
    [InlineData("invalid_redirect_uri", "")]
    [InlineData("invalid_client_metadata", "redirect_uris must be https or http://localhost")]
    [InlineData("invalid_request", "Only localhost callback URLs are accepted")]
    public async Task Issuer_that_accepts_only_localhost_gets_it_from_then_on(string code, string words)
    {
        await using var scene = await SignInFixture.StartAsync();
        Refuse(scene, asked => Texts(asked["redirect_uris"])[0].StartsWith("http://localhost:", StringComparison.Ordinal) ? null : Refusal(code, words));
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
        ChangeOneFieldEach(scene, "redirect_uris");
        await scene.LoginAsync();
        Assert.Equal(2, Asked(scene).Count);
        var redirects = scene.Issuer.Traffic.To("/authorize").Select(r => r.QueryValue("redirect_uri")).ToList();
        Assert.Equal([.. Texts(Asked(scene)[1]["redirect_uris"]), .. Texts(Asked(scene)[1]["redirect_uris"])], redirects);
        Assert.Matches("^http://localhost:[0-9]+/callback$", redirects[0]);
    }

    [Rule(14, 26)]
    [Fact]
    public async Task Stored_registration_without_host_uses_127_0_0_1()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        var store = scene.Work.Store;
        Assert.Null((await store.Registrations.ReadAsync(scene.Server, scene.Issuer.Issuer, null, Cancellation))!.RedirectHost);
        await scene.LoginAsync();
        Assert.All(scene.Issuer.Traffic.To("/authorize"), r => Assert.StartsWith("http://127.0.0.1:", r.QueryValue("redirect_uri")));
    }

    [Rule(14)]
    [Theory]
    [InlineData("none", "token_endpoint_auth_method none is not supported; public clients are not allowed", "token_endpoint_auth_method")]
    [InlineData("native", "application_type must be web", "application_type")]
    public async Task Other_refused_field_is_changed(string value, string words, string field)
    {
        await using var scene = await SignInFixture.StartAsync();
        Refuse(scene, asked => (string?)asked[field] == value ? Refusal("invalid_client_metadata", words) : null);
        await scene.LoginAsync();
        ChangeOneFieldEach(scene, field);
        Assert.DoesNotContain(scene.Issuer.Traffic.To("/authorize"), r => r.StatusCode != 302);
    }

    [Rule(14)]
    [Fact]
    public async Task Refused_fields_are_changed_one_after_the_other()
    {
        await using var scene = await SignInFixture.StartAsync();
        Refuse(scene, asked => asked["scope"] is null ? Refusal("invalid_client_metadata", "scope is missing")
            : Texts(asked["redirect_uris"])[0].Contains("127.0.0.1") ? Refusal("invalid_redirect_uri") : null);
        await scene.LoginAsync();
        ChangeOneFieldEach(scene, "scope", "redirect_uris");
    }

    [Rule(14)]
    [Theory]
    [InlineData("invalid_client_metadata", "nothing pleases me")]
    [InlineData("invalid_client_metadata", "scope, grant_types and redirect_uris are wrong")]
    [InlineData("invalid_request", "")]
    public async Task Registration_is_tried_three_times_and_the_first_refusal_is_reported(string code, string words)
    {
        await using var scene = await SignInFixture.StartAsync();
        var count = 0;
        Refuse(scene, _ => Refusal(code, count++ == 0 ? words : "another reason"));
        var e = await scene.FailsAsync();
        Assert.Equal((ErrorReason.ClientRegistrationFailed, code), (e.Reason, e.OAuthError));
        Assert.Contains(words.Length == 0 ? $"{code}." : $"{code}: {words}.", e.Message);
        Assert.Contains("--client-id", e.Remedy.InShell());
        Assert.Equal(3, Asked(scene).Count);
        Assert.Equal(2, Asked(scene).Zip(Asked(scene).Skip(1)).Count(pair => Differences(pair.First, pair.Second).Count() == 1));
        Assert.Empty(scene.Person.Visited);
    }

    [Rule(14)]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Refusal_without_text_changes_what_the_metadata_leaves_open(bool listsGrants)
    {
        await using var scene = await SignInFixture.StartAsync();
        if (!listsGrants)
        {
            scene.Issuer.Faults.RewriteJson("/.well-known", json => json.Remove("grant_types_supported"));
        }
        Refuse(scene, asked => (listsGrants ? Texts(asked["redirect_uris"])[0].Contains("127.0.0.1") : Texts(asked["grant_types"]).Contains("refresh_token"))
            ? "{}" : null);
        await scene.LoginAsync();
        ChangeOneFieldEach(scene, "scope", listsGrants ? "redirect_uris" : "grant_types");
    }

    [Rule(14)]
    [Fact]
    public async Task Repeated_registration_counts_to_the_limit_of_three()
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Issuer.Server.ForgetClients();
        scene.Issuer.Traffic.Clear();
        Refuse(scene, _ => Refusal("invalid_client_metadata", "no"));
        await scene.FailsAsync();
        Assert.Equal(3, Asked(scene).Count);
    }

    [Rule(14)]
    [Theory]
    [InlineData(401, """{"error":"invalid_token"}""")]
    [InlineData(403, """{"error":"access_denied","error_description":"ask for a scope"}""")]
    [InlineData(403, "<html>no</html>")]
    [InlineData(404, "")]
    [InlineData(400, """{"error":"unapproved_software_statement"}""")]
    public async Task Refusal_that_no_change_can_solve_is_final(int status, string body)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.Answer("/register", status, body);
        Assert.Equal(ErrorReason.ClientRegistrationFailed, (await scene.FailsAsync()).Reason);
        Assert.Single(Asked(scene));
    }

    [FieldFault(34)]
    [Rule(14)]
    [Theory]
    [InlineData(429, "30", "Try again in 30 seconds.")]
    [InlineData(503, "120", "Try again in 2 minutes.")]
    [InlineData(503, "1", "Try again in 1 second.")]
    [InlineData(429, "+7200", "Try again in 2 hours.")]
    [InlineData(429, "99999999", "Try again in more than a day.")]
    [InlineData(500, null, "Try again later.")]
    [InlineData(429, "-5", "Try again later.")]
    [InlineData(429, "99999999999999999999", "Try again later.")]
    [InlineData(502, "soon", "Try again later.")]
    public async Task Busy_issuer_is_reported_with_its_retry_time(int status, string? after, string remedy)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.Intercept("/register", context =>
        {
            context.Response.StatusCode = status;
            // A value that begins with a plus sign becomes a date that many seconds from now.
            context.Response.Headers.RetryAfter = after?[0] == '+' ? DateTimeOffset.UtcNow.AddSeconds(int.Parse(after)).ToString("R") : after;
            return context.Response.WriteAsync("""{"error":"invalid_client_metadata","error_description":"rate limit of scope"}""");
        });
        var e = await scene.FailsAsync();
        Assert.Equal((ErrorReason.ServerUnreachable, remedy), (e.Reason, e.Remedy.InShell()));
        Assert.Single(Asked(scene));
        Assert.Empty(scene.Person.Visited);
    }

    [FieldFault(33)]
    [Rule(14, 26)]
    [Theory]
    [InlineData("""["https://app.example/cb"]""", "https://app.example/cb", "with the redirect URI http://127.0.0.1:")]
    [InlineData("""["http://127.0.0.1:4711/callback"]""", "http://127.0.0.1:4711/callback", "mcpsm auth login my-api --callback-port 4711")]
    [InlineData("""["http://localhost/callback"]""", "http://localhost/callback", "--client-id")]
    [InlineData("[]", "none", "--client-id")]
    [InlineData("[7,null]", "none", "--client-id")]
    public async Task Registration_with_another_redirect_is_refused_before_the_browser_opens(string redirects, string text, string remedy)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/register", json => json["redirect_uris"] = JsonNode.Parse(redirects));
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.ClientRegistrationFailed, e.Reason);
        Assert.Contains(text, e.Message);
        Assert.Contains(remedy, e.Remedy.InShell());
        Assert.Empty(scene.Person.Visited);
        // The unusable registration is not stored.
        scene.Issuer.Faults.Clear();
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
    }

    [Rule(14, 26)]
    [Theory]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("""["https://app.example/cb","ASKED"]""")]
    [InlineData("""["http://127.0.0.1/callback"]""")]
    [InlineData("\"ASKED\"")]
    public async Task Registration_that_includes_the_redirect_is_used(string redirects)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/register", json =>
            json["redirect_uris"] = JsonNode.Parse(redirects.Replace("ASKED", (string)json["redirect_uris"]![0]!)));
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
    }

    [Rule(14, 37)]
    [Fact]
    public async Task Device_sign_in_changes_a_refused_field()
    {
        await using var scene = await SignInFixture.StartAsync(new() { SupportsDeviceCode = true }, clock: new ManualTimeProvider());
        scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, true));
        Refuse(scene, asked => Texts(asked["redirect_uris"])[0].Contains("127.0.0.1") ? Refusal("invalid_redirect_uri") : null);
        await scene.LoginAsync(o => o with { UseDeviceCode = true });
        ChangeOneFieldEach(scene, "redirect_uris");
        // The browser is redirected to the registered URI.
        await scene.LoginAsync();
        Assert.Equal(Texts(Asked(scene)[1]["redirect_uris"])[0].Split(':')[1],
            scene.Issuer.Traffic.To("/authorize")[0].QueryValue("redirect_uri")!.Split(':')[1]);
    }
}

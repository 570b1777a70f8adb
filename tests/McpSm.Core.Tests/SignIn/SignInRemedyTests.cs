using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.SignIn;

/// <summary>
/// Lasting faults, and the remedy for each. <see cref="SignInFixture.FailsAsync"/> requires that the remedy is not the same sign-in, and
/// this table adds the expected remedy.
/// </summary>
public sealed class SignInRemedyTests
{
    private const string Update = "mcpsm server update my-api ";
    private const string WellKnown = "/.well-known";

    /// <summary>The faults, with a part of their remedies.</summary>
    private static readonly Dictionary<string, (Action<SignInFixture> Break, string Remedy)> Faults = new()
    {
        ["invalid_scope at the token endpoint"] = (s => Token(s, 400, """{"error":"invalid_scope"}"""), Update + "--scope <scope>..."),
        ["invalid_scope at the authorization endpoint"] = (s => Callback(s, "error=invalid_scope"), Update + "--scope <scope>..."),
        ["access_denied"] = (s => Callback(s, "error=access_denied"), "Ask the operator of the issuer http"),
        ["unauthorized_client"] = (s => Callback(s, "error=unauthorized_client"), Update + "--client-id <id>"),
        ["invalid_client"] = (s => Token(s, 401, """{"error":"invalid_client"}"""), Update + "--client-id <id>"),
        ["invalid_target"] = (s => Token(s, 400, """{"error":"invalid_target"}"""), "does not know this server as a resource"),
        ["invalid_grant"] = (s => Token(s, 400, """{"error":"invalid_grant"}"""), "Tell the operator of the issuer http"),
        ["an unknown code"] = (s => Token(s, 400, """{"error":"no_such_thing"}"""), "Tell the operator of the issuer http"),
        ["an error that says nothing"] = (s => Token(s, 400, ""), "Tell the operator of the issuer http"),
        ["a token answer that is a page"] = (s => Token(s, 200, "<html/>"), "Tell the operator of the issuer http"),
        ["a token answer without a token"] = (s => Token(s, 200, "{}"), "Tell the operator of the issuer http"),
        ["an unknown token type"] = (s => Token(s, 200, """{"access_token":"t","token_type":"mac"}"""), "supports Bearer and DPoP tokens"),
        ["a bound token without a proof"] = (s => Token(s, 200, """{"access_token":"t","token_type":"DPoP"}"""), "mcpsm server update <server> --dpop always"),
        ["a token endpoint that redirects"] = (s => Token(s, 307, ""), "Report this to the operator of the issuer"),
        ["an answer with neither code nor error"] = (s => Callback(s, "x=y"), "Tell the operator of the issuer http"),
        ["an issuer that is busy"] = (s => Token(s, 503, ""), "Try again later."),
        ["an issuer's metadata that is a page"] = (s => s.Issuer.Faults.Answer(WellKnown, 200, "<html/>", "text/html"), Update + "--issuer <url>"),
        ["an issuer's metadata that is missing"] = (s => s.Issuer.Faults.Answer(WellKnown, 404), Update + "--issuer <url>"),
        ["an issuer's metadata without a token endpoint"] =
            (s => s.Issuer.Faults.RewriteJson(WellKnown, m => m.Remove("token_endpoint")), Update + "--issuer <url>"),
        ["an issuer without PKCE"] = (s => s.Issuer.Faults.RewriteJson(WellKnown, m => m.Remove("code_challenge_methods_supported")), "support PKCE"),
        ["an issuer that is another"] =
            (s => s.Issuer.Faults.RewriteJson(WellKnown, m => m["issuer"] = "https://other.example"), "Report this to the operator of the server"),
        ["an unsafe endpoint"] =
            (s => s.Issuer.Faults.RewriteJson(WellKnown, m => m["token_endpoint"] = "http://other.example/token"), "Ask the operator of the server"),
        ["no browser sign-in"] = (s => s.Issuer.Faults.RewriteJson(WellKnown, m => m.Remove("authorization_endpoint")), "Ask the operator of the issuer"),
        ["resource metadata that the challenge names and that is a page"] =
            (s => s.Resource.Faults.Answer(WellKnown, 200, "<html/>", "text/html"), "its own challenge names"),
        ["resource metadata that is a page"] = (s =>
        {
            s.Resource.Challenge = _ => "Bearer";
            s.Resource.Faults.Answer(WellKnown, 200, "<html/>", "text/html");
        }, Update + "--issuer <url>"),
        ["resource metadata of another server"] = (s => s.Resource.ResourceMetadata = m =>
        {
            m["resource"] = "https://other.example/mcp";
            return m;
        }, "Check the server's URL"),
        ["resource metadata without an issuer"] = (s => s.Resource.Issuers = [], Update + "--issuer <url>"),
        ["a server that refuses its issuer's token"] = (s => s.Resource.Introspect = _ => null, "does not accept the tokens of its own issuer"),
        ["no MCP endpoint"] = (s => s.Resource.Faults.Answer("/mcp", 404), "mcpsm list"),
        ["a refused registration"] = (s => s.Issuer.Faults.Answer("/register", 400, """{"error":"invalid_client_metadata"}"""), Update + "--client-id <id>"),
    };

    public static TheoryData<string> Names => [.. Faults.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Failed_sign_in_has_a_remedy_for_its_fault(string fault)
    {
        await using var scene = await SignInFixture.StartAsync();
        Faults[fault].Break(scene);
        Assert.Contains(Faults[fault].Remedy, (await scene.FailsAsync()).Remedy.InShell());
    }

    [Fact]
    public async Task Invalid_scope_error_names_the_scopes_of_the_issuer()
    {
        await using var scene = await SignInFixture.StartAsync(new() { ScopesSupported = ["mcp:tools"] },
            server: s => new(s) { Scopes = ["mcp:tools", "mcp:admin"] });
        scene.Issuer.Faults.RewriteRedirect("/authorize",
            url => System.Text.RegularExpressions.Regex.Replace(url, "(code|error)=[^&]*", "error=invalid_scope"));
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.InsufficientScope, e.Reason);
        Assert.Equal("The requested scopes were: mcp:tools mcp:admin. Request only scopes that the issuer grants: mcpsm server update my-api --scope mcp:tools",
            e.Remedy.InShell());
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    public async Task Issuer_without_the_path_in_its_metadata_has_a_remedy_that_works(string end)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.Issuers = [scene.Issuer.Issuer + "/realm"];
        scene.Issuer.Faults.Intercept("/.well-known/oauth-authorization-server/realm", context =>
        {
            context.Response.ContentType = "application/json";
            return Microsoft.AspNetCore.Http.HttpResponseWritingExtensions.WriteAsync(context.Response, new JsonObject
            {
                ["issuer"] = scene.Issuer.Issuer + end,
                ["token_endpoint"] = scene.Issuer.Issuer + "/token",
            }.ToJsonString());
        });
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.IssuerMismatch, e.Reason);
        Assert.Contains(scene.Issuer.Issuer, e.Message);
        Assert.Equal($"The second lacks the end of the path. If you trust it: mcpsm server update my-api --issuer {scene.Issuer.Issuer}{end}",
            e.Remedy.InShell());
        await scene.ChangeServerAsync(s => new(s) { Issuer = scene.Issuer.Issuer });
        await scene.LoginAsync();
    }

    [Rule(3)]
    [Theory]
    [InlineData(200, "<html/>")]
    [InlineData(500, "")]
    [InlineData(200, "{}")]
    public async Task Unreadable_resource_metadata_is_ignored_if_the_issuer_is_pinned(int status, string body)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.Challenge = _ => "Bearer";
        scene.Resource.Faults.Answer(WellKnown, status, body);
        await scene.FailsAsync();
        await scene.ChangeServerAsync(s => new(s) { Issuer = scene.Issuer.Issuer });
        await scene.LoginAsync();
        Assert.Equal(AuthState.Authenticated, scene.Status.State);
        // Metadata that a challenge names is final even so.
        scene.Resource.Challenge = null;
        Assert.Equal(ErrorReason.MetadataInvalid, (await scene.FailsAsync()).Reason);
    }

    private static void Token(SignInFixture scene, int status, string body) => scene.Issuer.Faults.Answer("/token", status, body);

    private static void Callback(SignInFixture scene, string query) => scene.Issuer.Faults.RewriteRedirect("/authorize",
        location => System.Text.RegularExpressions.Regex.Replace(location, "code=[^&]*", query));
}

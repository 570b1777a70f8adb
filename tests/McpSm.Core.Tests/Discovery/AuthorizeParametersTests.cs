using System.Text.Json.Nodes;
using McpSm.Core.Discovery;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Entra;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Discovery;

/// <summary>Parameters that the user adds to the authorization URL.</summary>
public sealed class AuthorizeParametersTests
{
    private static readonly Dictionary<string, string> Offline = new() { ["access_type"] = "offline" };

    private static Task UpdateAsync(SignInFixture scene, params (string Name, string Value)[] parameters) =>
        scene.Authenticator.Servers.UpdateAsync(scene.Server,
        new ServerUpdate { AuthorizeParams = parameters.ToDictionary(p => p.Name, p => p.Value) }, default);

    private static string ConfigOf(TestEnvironment work) => Path.Combine(work.Folder, "config.json");

    private static JsonObject OAuthOf(TestEnvironment work) => JsonNode.Parse(File.ReadAllText(ConfigOf(work)))!["remoteServers"]![0]!["oauth"]!.AsObject();

    /// <summary>Writes parameters into the server's entry, as another program does.</summary>
    private static void Plant(TestEnvironment work, string parameters)
    {
        var root = JsonNode.Parse(File.ReadAllText(ConfigOf(work)))!;
        var server = root["remoteServers"]![0]!;
        (server["oauth"] ??= new JsonObject())["authorizeParams"] = JsonNode.Parse(parameters);
        File.WriteAllText(ConfigOf(work), root.ToJsonString());
    }

    [FieldFault(37)]
    [Fact]
    public async Task Issuer_like_Google_returns_a_refresh_token_if_asked_for_offline_access()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/token", json =>
        {
            if (scene.Issuer.Traffic.To("/authorize")[^1].QueryValue("access_type") != "offline")
            {
                json.Remove("refresh_token");
            }
        });
        Assert.False((await scene.LoginAsync()).Status.CanRenew);
        await UpdateAsync(scene, ("access_type", "offline"), ("login_hint", "me+you@example.com & co"));
        Assert.True((await scene.LoginAsync()).Status.CanRenew);
        var request = scene.Issuer.Traffic.To("/authorize")[^1];
        Assert.Equal("me+you@example.com & co", request.QueryValue("login_hint"));
        // Only the authorization URL carries the parameters.
        Assert.All(scene.Issuer.Traffic.To("/token"), r => Assert.False(r.Form.ContainsKey("access_type")));
    }

    [Fact]
    public async Task Authorize_parameters_replace_those_of_the_endpoint_query_and_prompt()
    {
        await using var scene = await SignInFixture.StartAsync(new() { ScopesSupported = ["mcp:tools", "offline_access"] });
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["authorization_endpoint"] += "?access_type=online&tenant=a");
        await UpdateAsync(scene, ("access_type", "offline"), ("prompt", "select_account"));
        await scene.LoginAsync();
        var request = Assert.Single(scene.Issuer.Traffic.To("/authorize"));
        Assert.StartsWith("?tenant=a&", request.QueryString);
        Assert.Equal("offline", Assert.Single(request.Query["access_type"]!));
        Assert.Equal("select_account", Assert.Single(request.Query["prompt"]!));
    }

    [Fact]
    public async Task Authorize_parameters_can_be_set_and_removed_for_one_sign_in()
    {
        await using var scene = await SignInFixture.StartAsync();
        await UpdateAsync(scene, ("access_type", "offline"), ("audience", "x"));
        await scene.LoginAsync(o => o with { AuthorizeParams = new Dictionary<string, string> { ["audience"] = "", ["prompt"] = "login" } });
        await scene.LoginAsync();
        var (once, always) = (scene.Issuer.Traffic.To("/authorize")[0], scene.Issuer.Traffic.To("/authorize")[1]);
        Assert.Equal(("offline", null, "login"), (once.QueryValue("access_type"), once.QueryValue("audience"), once.QueryValue("prompt")));
        Assert.Equal(("offline", "x", null), (always.QueryValue("access_type"), always.QueryValue("audience"), always.QueryValue("prompt")));
    }

    public static TheoryData<string> Reserved =>
    [
        "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "resource", "request",
        "request_uri", "response_mode", "dpop_jkt", "client_secret", "Resource", "STATE", "Redirect_Uri",
    ];

    [Rule(16)]
    [Theory]
    [MemberData(nameof(Reserved))]
    public async Task Authorize_parameter_of_the_protocol_is_neither_stored_nor_sent(string name)
    {
        await using var scene = await SignInFixture.StartAsync();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => UpdateAsync(scene, (name, "evil")));
        Assert.Equal(ErrorReason.InvalidValue, e.Reason);
        Assert.Empty(scene.Server.AuthorizeParams);
        e = await scene.FailsAsync(o => o with { AuthorizeParams = new Dictionary<string, string> { [name] = "evil" } });
        Assert.Equal(ErrorReason.InvalidValue, e.Reason);

        Plant(scene.Work, $$"""{"{{name}}":"evil","access_type":"offline"}""");
        e = await scene.FailsAsync();
        Assert.Equal((ErrorReason.InvalidValue, $"mcpsm server update my-api --authorize-param {name}="), (e.Reason, e.Remedy.InShell()));
        Assert.Empty(scene.Person.Visited);
        Assert.Empty(scene.Issuer.Traffic.To("/register"));
        // The remedy solves the problem.
        await UpdateAsync(scene, (name, ""));
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
        Assert.Equal(Offline, scene.Server.AuthorizeParams);
    }

    [Theory]
    [InlineData("", "x")]
    [InlineData("a b", "x")]
    [InlineData("re%73ource", "x")]
    [InlineData("a&b", "x")]
    [InlineData("$(id)", "x")]
    [InlineData("ä", "x")]
    [InlineData("a", "x\r\ny")]
    [InlineData("a", "\u001b[31m")]
    [InlineData("a", "HALF")]
    public async Task Authorize_parameter_with_unsafe_characters_is_refused(string name, string value)
    {
        await using var scene = await SignInFixture.StartAsync();
        var e = await Assert.ThrowsAsync<McpAuthException>(() => UpdateAsync(scene, (name, value.Replace("HALF", "\ud800"))));
        Assert.Equal(ErrorReason.InvalidValue, e.Reason);
        Assert.DoesNotContain(e.Message, char.IsControl);
    }

    [Fact]
    public async Task Authorize_parameters_in_the_config_file_are_bounded()
    {
        await using var scene = await SignInFixture.StartAsync();
        foreach (var parameters in new[] { ("a", new string('x', 1025)), (new string('a', 65), "x") })
        {
            await Assert.ThrowsAsync<McpAuthException>(() => UpdateAsync(scene, parameters));
        }
        Plant(scene.Work, new JsonObject(Enumerable.Range(0, 100).Select(i => KeyValuePair.Create($"p{i}", (JsonNode?)new string('x', 100)))).ToJsonString());
        Assert.Equal(ErrorReason.InvalidValue, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Person.Visited);
    }

    [Fact]
    public async Task Authorize_parameters_of_another_program_are_kept_and_read_if_text()
    {
        await using var scene = await SignInFixture.StartAsync();
        Plant(scene.Work, """{"max_age":3600,"verbose":true,"claims":{"a":[1]},"none":null,"list":["x"],"empty":"","hint":"é"}""");
        Assert.Equal(new Dictionary<string, string> { ["max_age"] = "3600", ["verbose"] = "true", ["hint"] = "é" }, scene.Server.AuthorizeParams);
        await UpdateAsync(scene, ("access_type", "offline"), ("hint", ""), ("claims", "x"));
        Assert.Equal("""{"max_age":3600,"verbose":true,"claims":"x","none":null,"list":["x"],"empty":"","access_type":"offline"}""",
            OAuthOf(scene.Work)["authorizeParams"]!.ToJsonString());
        await UpdateAsync(scene);
        Assert.Equal("""{"none":null,"list":["x"],"empty":""}""", OAuthOf(scene.Work)["authorizeParams"]!.ToJsonString());
        Assert.Empty(scene.Server.AuthorizeParams);
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("\"access_type=offline\"")]
    [InlineData("7")]
    public async Task Authorize_parameters_that_are_not_an_object_stay_until_one_is_set(string planted)
    {
        await using var scene = await SignInFixture.StartAsync();
        Plant(scene.Work, planted);
        Assert.Empty(scene.Server.AuthorizeParams);
        await scene.ChangeServerAsync(s => new(s) { OAuth = OAuthMode.On });
        Assert.Equal(planted, OAuthOf(scene.Work)["authorizeParams"]!.ToJsonString());
        await UpdateAsync(scene, ("access_type", "offline"));
        Assert.Equal("""{"access_type":"offline"}""", OAuthOf(scene.Work)["authorizeParams"]!.ToJsonString());
    }

    [Rule(37)]
    [Fact]
    public async Task Device_code_sign_in_says_that_authorize_parameters_are_not_used()
    {
        await using var scene = await SignInFixture.StartAsync(new() { SupportsDeviceCode = true }, clock: new ManualTimeProvider());
        scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, true));
        await UpdateAsync(scene, ("access_type", "offline"));
        await scene.LoginAsync(o => o with { UseDeviceCode = true });
        Assert.Contains(scene.Person.Warnings, n => n.Contains("not used"));
        Assert.DoesNotContain(scene.Issuer.Traffic.Requests, r => (r.QueryString + r.Body).Contains("access_type"));
    }

    [Fact]
    public async Task Entra_authorization_URL_carries_the_authorize_parameters()
    {
        await using var scene = await EntraFixture.StartAsync();
        await scene.Authenticator.Servers.UpdateAsync(scene.Server,
            new ServerUpdate { AuthorizeParams = new Dictionary<string, string> { ["prompt"] = "login", ["domain_hint"] = "contoso.com" } }, Cancellation);
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
        var request = Assert.Single(scene.Entra.Traffic.Requests, r => r.Path.EndsWith("/authorize", StringComparison.Ordinal));
        Assert.Equal(("login", "contoso.com"), (Assert.Single(request.Query["prompt"]!), Assert.Single(request.Query["domain_hint"]!)));
    }

    [Fact]
    public void Authorize_parameters_format_as_a_query_and_parse_back()
    {
        var parameters = AuthorizeParameters.Create(new Dictionary<string, string> { ["a"] = "b & c=d", ["e"] = "é" });
        Assert.Equal("a=b%20%26%20c%3Dd&e=%C3%A9", parameters.ToString());
        Assert.Equal(parameters, AuthorizeParameters.Parse(parameters.ToString()));
        Assert.Empty(AuthorizeParameters.Parse(""));
    }
}

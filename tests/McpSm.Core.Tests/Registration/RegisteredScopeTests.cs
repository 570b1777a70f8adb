using System.Text.RegularExpressions;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Registration;

/// <summary>
/// Issuers that limit a client to the scopes of its registration, and to no scopes if the registration names none (RFC 7591 section 2). The
/// authorization server of the MCP SDK for Python is one of them.
/// </summary>
public sealed class RegisteredScopeTests
{
    private static readonly AuthorizationServerOptions Issuing = new() { ScopesSupported = ["mcp:tools", "mcp:write"], SupportsDeviceCode = true };

    private static async Task<SignInFixture> StartAsync()
    {
        var scene = await SignInFixture.StartAsync(Issuing, clock: new ManualTimeProvider());
        scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, true));
        scene.Issuer.Faults.RewriteRedirect("/authorize", location =>
        {
            var asked = scene.Issuer.Traffic.To("/authorize")[^1];
            var client = scene.Issuer.Server.Clients.Single(c => c.ClientId == asked.QueryValue("client_id"));
            var registered = ((string?)client.RegistrationRequest!["scope"] ?? "").Split(' ');
            return asked.QueryValue("scope")!.Split(' ').All(registered.Contains) ? location : Regex.Replace(location, "code=[^&]*", "error=invalid_scope");
        });
        return scene;
    }

    private static IEnumerable<string?> Registered(SignInFixture scene) => scene.Issuer.Traffic.To("/register").Select(r => (string?)r.Json!["scope"]);

    [FieldFault(30)]
    [Rule(8, 14)]
    [Fact]
    public async Task Client_without_scopes_is_registered_with_them_after_a_refusal()
    {
        await using var scene = await StartAsync();
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
        Assert.Contains(scene.Person.Notices, n => n.Contains("restricts this client to the scopes of its registration"));
        await scene.LoginAsync();
        Assert.Equal([null, "mcp:tools"], Registered(scene));
        Assert.Equal(3, scene.Person.Visited.Count);

        // A later registration names the scopes too.
        scene.Issuer.Server.ForgetClients();
        await scene.LoginAsync();
        Assert.Equal([null, "mcp:tools", "mcp:tools"], Registered(scene));
    }

    [FieldFault(30)]
    [Rule(14, 24)]
    [Fact]
    public async Task Step_up_registers_the_granted_and_the_challenged_scopes()
    {
        await using var scene = await StartAsync();
        await scene.LoginAsync();
        using var http = scene.Open(signIn: true);
        scene.Resource.Scope = "mcp:write";
        Assert.Equal(200, await scene.PingAsync(http, Cancellation));
        Assert.Equal([null, "mcp:tools", "mcp:tools mcp:write"], Registered(scene));
        Assert.Equal(["mcp:tools", "mcp:write"], scene.Status.Scopes);
    }

    [Rule(14, 37)]
    [Fact]
    public async Task Device_endpoint_that_refuses_the_scopes_gets_a_client_with_them()
    {
        await using var scene = await StartAsync();
        scene.Issuer.Faults.Answer("/device_authorization", 400, """{"error":"invalid_scope"}""", times: 1);
        await scene.LoginAsync(o => o with { UseDeviceCode = true });
        Assert.Equal([null, "mcp:tools"], Registered(scene));
    }

    [Rule(14)]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Scope_unknown_to_the_issuer_is_requested_twice_at_most(bool refusesRegistration)
    {
        await using var scene = await StartAsync();
        scene.Resource.Scope = "nonsense";
        if (refusesRegistration)
        {
            scene.Person.Opening = _ => scene.Issuer.Faults.Answer("/register", 403, """{"error":"insufficient_scope","error_description":"not for you"}""");
        }
        var e = await scene.FailsAsync();
        Assert.Equal((ErrorReason.InsufficientScope, "invalid_scope"), (e.Reason, e.OAuthError));
        Assert.Equal([null, "nonsense"], Registered(scene));
        Assert.Equal(refusesRegistration ? 1 : 2, scene.Person.Visited.Count);
        Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
    }

    [Rule(13)]
    [Fact]
    public async Task Client_of_the_user_is_not_replaced_by_a_registration()
    {
        const string document = "https://client.example/mcpsm.json";
        await using var scene = await SignInFixture.StartAsync(new() { SupportsClientIdMetadataDocuments = true }, new() { Scope = "nonsense" },
            s => new(s) { ClientMetadataUrl = document });
        Assert.Equal("invalid_scope", (await scene.FailsAsync()).OAuthError);
        Assert.Empty(scene.Issuer.Traffic.To("/register"));
    }
}

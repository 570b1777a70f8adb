using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Management;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Grants;

/// <summary>The choice of the client for a sign-in, and its authentication.</summary>
public sealed class ClientIdentityTests
{
    private const string Document = "https://client.example/mcpsm.json";
    private const string Secret = "5up3r:s3cr3t +ä/%";

    private static RegisteredClient Mine(int port, string? secret = null, string method = "none") =>
        new("mine", secret, [$"http://127.0.0.1:{port}/callback"], method);

    /// <summary>Starts a fixture without waits, in which the user approves every device code.</summary>
    private static async Task<SignInFixture> StartAsync(AuthorizationServerOptions issuer, Func<McpServer, McpServer>? server = null)
    {
        var scene = await SignInFixture.StartAsync(issuer with { SupportsDeviceCode = true }, server: server, clock: new ManualTimeProvider());
        scene.Person.Device = code => Assert.True(scene.Issuer.Server.DecideDevice(code.UserCode, true));
        return scene;
    }

    /// <summary>Returns the only client id of the requests since the last call, without revocations of earlier tokens.</summary>
    private static string ClientOf(SignInFixture scene)
    {
        var ids = scene.Issuer.Traffic.Requests.Where(r => r.Path != "/revoke")
            .Select(r => r.QueryValue("client_id") ?? r.FormValue("client_id")).OfType<string>();
        var id = Assert.Single(ids.Distinct());
        scene.Issuer.Traffic.Clear();
        return id;
    }

    [Rule(11)]
    [Theory]
    [InlineData(true, true, false)]
    [InlineData(true, true, true)]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(false, true, true)]
    [InlineData(false, false, false)]
    [InlineData(false, false, true)]
    public async Task Client_of_the_user_precedes_metadata_document_and_registration(bool own, bool document, bool device)
    {
        var port = FreePort.Find();
        await using var scene = await StartAsync(new() { SupportsClientIdMetadataDocuments = true, PreRegisteredClients = [Mine(port)] },
            s => new(s) { ClientId = own ? "mine" : null, ClientMetadataUrl = document ? Document : null });
        await scene.LoginAsync(o => o with { CallbackPort = port, UseDeviceCode = device });
        var registers = !own && !document;
        Assert.Equal(registers ? 1 : 0, scene.Issuer.Traffic.Count("/register"));
        var id = ClientOf(scene);
        Assert.True(registers ? id is not ("mine" or Document) : id == (own ? "mine" : Document), id);
    }

    [Rule(11)]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Client_of_higher_precedence_wins_over_a_stored_registration(bool device)
    {
        var port = FreePort.Find();
        await using var scene = await StartAsync(new() { SupportsClientIdMetadataDocuments = true, PreRegisteredClients = [Mine(port)] });
        async Task<string> SignInAsync()
        {
            await scene.LoginAsync(o => o with { CallbackPort = port, UseDeviceCode = device });
            return ClientOf(scene);
        }
        var registered = await SignInAsync();
        await scene.ChangeServerAsync(s => new(s) { ClientMetadataUrl = Document });
        Assert.Equal(Document, await SignInAsync());
        await scene.ChangeServerAsync(s => new(s) { ClientId = "mine" });
        Assert.Equal("mine", await SignInAsync());
        await scene.ChangeServerAsync(s => new(s) { ClientId = null, ClientMetadataUrl = null });
        Assert.Equal(registered, await SignInAsync());
    }

    [Rule(12)]
    [Theory]
    [InlineData(null)]
    [InlineData("false")]
    [InlineData("\"true\"")]
    [InlineData("1")]
    public async Task Metadata_document_is_used_only_if_the_issuer_supports_it(string? advertised)
    {
        // The issuer would accept the document. Only its metadata keeps Mcpsm from sending it.
        await using var scene = await StartAsync(new() { SupportsClientIdMetadataDocuments = true }, s => new(s) { ClientMetadataUrl = Document });
        scene.Issuer.Faults.RewriteJson("/.well-known", json =>
        {
            json.Remove("client_id_metadata_document_supported");
            if (advertised is not null)
            {
                json["client_id_metadata_document_supported"] = JsonNode.Parse(advertised);
            }
        });
        foreach (var device in new[] { false, true })
        {
            await scene.LoginAsync(o => o with { UseDeviceCode = device });
        }
        Assert.Equal(1, scene.Issuer.Traffic.Count("/register"));
        Assert.DoesNotContain(scene.Issuer.Traffic.Requests, r => (r.QueryString + r.Body).Contains("client.example"));
    }

    [Rule(11, 12)]
    [Fact]
    public async Task Issuer_without_document_and_registration_support_asks_for_a_client_id()
    {
        await using var scene = await StartAsync(new() { SupportsRegistration = false }, s => new(s) { ClientMetadataUrl = Document });
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.ClientRegistrationFailed, e.Reason);
        Assert.Contains("mcpsm server update my-api --client-id", e.Remedy.InShell());
        Assert.Empty(scene.Person.Visited);
    }

    [Rule(13)]
    [Theory]
    [InlineData("client_secret_basic", "client_secret_basic")]
    [InlineData("client_secret_basic", "none", "client_secret_post", "client_secret_basic")]
    [InlineData("client_secret_post", "client_secret_post")]
    [InlineData("client_secret_post", "none", "client_secret_post")]
    [InlineData("client_secret_basic")]
    public async Task Secret_of_a_preregistered_client_is_sent_by_the_advertised_method(string method, params string[] advertised)
    {
        var port = FreePort.Find();
        await using var scene = await StartAsync(new()
        {
            SupportsRegistration = false,
            TokenEndpointAuthMethods = advertised,
            PreRegisteredClients = [Mine(port, Secret, method)],
        }, s => new(s) { ClientId = "mine" });
        if (advertised.Length == 0)
        {
            // RFC 8414 section 2: if the metadata lists no method, the issuer expects client_secret_basic.
            scene.Issuer.Faults.RewriteJson("/.well-known", json => json.Remove("token_endpoint_auth_methods_supported"));
        }
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { ClientSecret = Secret }, Cancellation);
        foreach (var device in new[] { false, true })
        {
            await scene.LoginAsync(o => o with { CallbackPort = port, UseDeviceCode = device });
            await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
        }
        Assert.Null((await scene.Authenticator.SignIn.SignOutAsync(scene.Server, local: false, Cancellation)).RevocationFailure);

        var proven = scene.Issuer.Traffic.Requests.Where(r => r.Method == "POST").ToList();
        Assert.Equal(["/token", "/token", "/device_authorization", "/token", "/token", "/revoke", "/revoke"], proven.Select(r => r.Path));
        Assert.All(proven, r => Assert.Equal(("mine", Secret, method), Presented(r)));
        Assert.DoesNotContain(scene.Issuer.Traffic.Requests.Except(proven), r => $"{r.QueryString}{r.Header("Authorization")}".Contains("s3cr3t"));
        Assert.DoesNotContain(scene.Resource.Traffic.Requests, r => $"{r.QueryString}{r.Body}{r.Header("Authorization")}".Contains("s3cr3t"));
    }

    [FieldFault(25)]
    [Rule(13, 23)]
    [Theory]
    [InlineData("invalid_client")]
    [InlineData("unauthorized_client")]
    public async Task Secret_replaced_at_the_issuer_keeps_the_refresh_token(string error)
    {
        var port = FreePort.Find();
        await using var scene = await StartAsync(new() { PreRegisteredClients = [Mine(port, Secret, "client_secret_basic")] },
            s => new(s) { ClientId = "mine" });
        await scene.Authenticator.Servers.UpdateAsync(scene.Server, new ServerUpdate { ClientSecret = Secret }, Cancellation);
        await scene.LoginAsync(o => o with { CallbackPort = port });
        scene.Issuer.Faults.Answer("/token", 401, $$"""{"error":"{{error}}","error_description":"the secret is of last year"}""", times: 1);
        var e = await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation));
        Assert.Equal((ErrorReason.ClientRejected, error, "my-api"), (e.Reason, e.OAuthError, e.Server));
        Assert.Contains("the secret is of last year", e.Message);
        Assert.Equal("If its secret has changed: mcpsm server update my-api --client-id mine --client-secret-from-env <NAME>", e.Remedy.InShell());
        Assert.Equal((true, false), (scene.Status.CanRenew, scene.Status.RenewalUncertain));
        await scene.Work.New().Tokens.RenewAsync(scene.Server, Cancellation);
    }

    /// <summary>Returns the client id and secret of a request, and its authentication method.</summary>
    private static (string? Id, string? Secret, string Method) Presented(RecordedRequest request)
    {
        if (request.Header("Authorization") is not { } header)
        {
            return (request.FormValue("client_id"), request.FormValue("client_secret"), "client_secret_post");
        }
        Assert.Null(request.FormValue("client_secret"));
        Assert.StartsWith("Basic ", header);
        var parts = Encoding.ASCII.GetString(Convert.FromBase64String(header["Basic ".Length..])).Split(':');
        Assert.Equal(2, parts.Length);
        return (WebUtility.UrlDecode(parts[0]), WebUtility.UrlDecode(parts[1]), "client_secret_basic");
    }
}

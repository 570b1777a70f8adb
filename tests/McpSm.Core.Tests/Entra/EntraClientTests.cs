using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using McpSm.Core.Configuration;
using McpSm.Core.Discovery;
using McpSm.Core.Entra;
using McpSm.Core.Errors;
using McpSm.Core.Grants;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Errors;
using McpSm.TestServers.Entra;
using Xunit;

namespace McpSm.Core.Tests.Entra;

/// <summary>Clients and machines that sign in to Entra ID without a user.</summary>
public sealed class EntraClientTests : IAsyncLifetime
{
    private const string Scope = "api://my-api/.default";

    private static readonly EntraIssuer Issuer = EntraIssuer.Find($"https://login.microsoftonline.us/{FakeEntra.Tenant}/v2.0")!;
    private static readonly McpServer Server = new() { Id = "my-api", Name = "my-api", Url = "https://api.example/mcp" };

    private FakeEntra _entra = null!;
    private EntraTokenClient _grant = null!;

    public async ValueTask InitializeAsync()
    {
        _entra = await FakeEntra.StartAsync();
        _grant = new EntraTokenClient(new AppEnvironment(), _entra.NewTransport);
    }

    public async ValueTask DisposeAsync()
    {
        await _entra.DisposeAsync();
        Assert.Empty(_entra.Strays);
    }

    private Task<TokenSet> AskAsync(string? secret = null, X509Certificate2? certificate = null, EntraIssuer? issuer = null, string scope = Scope) =>
        _grant.ForClientAsync(Server, issuer ?? Issuer, new ClientIdentity(ClientKind.PreRegistered, FakeEntra.Daemon, secret, "")
        { Key = certificate is null ? null : ClientKey.FromCertificate(certificate) }, [.. scope.Split(' ')], default);

    private static Task<TokenSet> AskMachineAsync(EntraTokenClient grant, string? id = null) =>
        grant.ForClientAsync(Server, Issuer, new ClientIdentity(ClientKind.ManagedIdentity, id ?? "", null, ClientIdentity.None), [Scope], default);

    [Fact]
    public async Task Client_with_secret_signs_in_and_asks_again_each_time()
    {
        var first = await AskAsync(FakeEntra.Secret);
        var second = await AskAsync(FakeEntra.Secret);
        Assert.NotEqual(first.AccessToken, second.AccessToken);
        Assert.Null(first.RefreshToken);
        Assert.Equal([Scope], first.Scopes);
        Assert.InRange((first.ExpiresAt - DateTimeOffset.UtcNow)!.Value.TotalMinutes, 58, 60);
        Assert.Equal(2, _entra.Traffic.Requests.Count);
        Assert.All(_entra.Traffic.Requests, r =>
        {
            Assert.Equal("login.microsoftonline.us", r.Header("Host"));
            Assert.False(r.Form.ContainsKey("resource"));
            Assert.Equal(Scope, r.FormValue("scope")!.Split(' ').Single(s => s.Contains('/')));
        });
    }

    [Fact]
    public async Task Client_with_certificate_signs_in_without_a_secret()
    {
        using var certificate = Certificate(RSA.Create(2048));
        _entra.Apps[FakeEntra.Daemon] = new EntraApp(FakeEntra.Daemon, Certificate: certificate);
        Assert.Equal([Scope], (await AskAsync(certificate: certificate)).Scopes);
        Assert.False(Assert.Single(_entra.Traffic.Requests).Form.ContainsKey("client_secret"));

        using var another = Certificate(RSA.Create(2048));
        Assert.Equal("invalid_client", (await Assert.ThrowsAsync<McpAuthException>(() => AskAsync(certificate: another))).OAuthError);
    }

    [Fact]
    public async Task Wrong_secret_is_reported_without_the_secret()
    {
        var failure = await Assert.ThrowsAsync<McpAuthException>(() => AskAsync("wr0ng-secret"));
        Assert.Equal("invalid_client", failure.OAuthError);
        Assert.Contains("AADSTS7000215", failure.Message);
        Assert.DoesNotContain("wr0ng-secret", failure.ToString());
    }

    [Fact]
    public async Task Certificate_without_RSA_key_is_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest("CN=daemon", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var failure = await Assert.ThrowsAsync<McpAuthException>(() => AskAsync(certificate: certificate));
        Assert.Equal(ErrorReason.InvalidValue, failure.Reason);
        Assert.Contains("RSA", failure.Message);
        Assert.Empty(_entra.Traffic.Requests);
    }

    [Fact]
    public async Task Client_at_a_shared_tenant_is_refused()
    {
        var failure = await Assert.ThrowsAsync<McpAuthException>(() =>
            AskAsync("s", issuer: EntraIssuer.Find("https://login.microsoftonline.com/common/v2.0")));
        Assert.Equal(ErrorReason.InvalidValue, failure.Reason);
        Assert.Contains("--issuer https://login.microsoftonline.com/<tenant>/v2.0", failure.Remedy.InShell());
        Assert.Empty(_entra.Traffic.Requests);
    }

    [Fact]
    public async Task Key_without_certificate_is_refused()
    {
        using var key = RSA.Create(2048);
        var identity = new ClientIdentity(ClientKind.PreRegistered, FakeEntra.Daemon, null, "") { Key = ClientKey.FromPem(key.ExportPkcs8PrivateKeyPem()) };
        var failure = await Assert.ThrowsAsync<McpAuthException>(() => _grant.ForClientAsync(Server, Issuer, identity, [Scope], Cancellation));
        Assert.Equal(ErrorReason.InvalidValue, failure.Reason);
        Assert.Contains("certificate", failure.Message);
    }

    [Theory]
    [InlineData("api://my-api/mcp.tools api://my-api/mcp.more", Scope)]
    [InlineData("api://my-api/.default", Scope)]
    [InlineData("https://api.example/mcp/tools", "https://api.example/mcp/.default")]
    [InlineData("https://api.example//.default", "https://api.example//.default")]
    public async Task Client_scope_becomes_the_default_scope_of_its_API(string named, string asked) =>
        Assert.Equal([asked], (await AskAsync(FakeEntra.Secret, scope: named)).Scopes);

    [Theory]
    [InlineData("api://my-api/tools api://other/tools", ErrorReason.InsufficientScope)]
    [InlineData("openid", ErrorReason.InsufficientScope)]
    [InlineData("api://my-api", ErrorReason.ResourceMismatch)]
    [InlineData("https://vault.azure.net/.default", ErrorReason.ResourceMismatch)]
    public async Task Client_scopes_of_several_or_unknown_APIs_are_refused(string named, ErrorReason reason)
    {
        Assert.Equal(reason, (await Assert.ThrowsAsync<McpAuthException>(() => AskAsync(FakeEntra.Secret, scope: named))).Reason);
        Assert.Empty(_entra.Traffic.Requests);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(FakeEntra.Daemon)]
    public async Task Machine_with_managed_identity_signs_in(string? id)
    {
        var first = await AskMachineAsync(_grant, id);
        var second = await AskMachineAsync(_grant, id);
        Assert.NotEqual(first.AccessToken, second.AccessToken);
        Assert.Equal([Scope], first.Scopes);
        Assert.Null(first.RefreshToken);
        Assert.NotNull(_entra.Tokens.Introspect(first.AccessToken, "x"));
        Assert.All(_entra.Traffic.Requests, r =>
        {
            Assert.Equal("169.254.169.254", r.Header("Host"));
            Assert.Equal("api://my-api", r.QueryValue("resource"));
            Assert.Equal(id, r.QueryValue("client_id"));
        });
    }

    [Fact]
    public async Task Managed_identity_that_the_machine_lacks_is_reported()
    {
        var failure = await Assert.ThrowsAsync<McpAuthException>(() => AskMachineAsync(_grant, "33333333-0000-4000-8000-000000000000"));
        Assert.Equal(ErrorReason.AuthorizationDenied, failure.Reason);
        Assert.Contains("Identity not found", failure.Message);
    }

    [Fact]
    public async Task Machine_without_managed_identity_is_reported()
    {
        var grant = new EntraTokenClient(new AppEnvironment(), () => new Refusing());
        var failure = await Assert.ThrowsAsync<McpAuthException>(() => AskMachineAsync(grant));
        Assert.Equal(ErrorReason.ServerUnreachable, failure.Reason);
        Assert.Contains("The managed identity endpoint of this machine does not answer.", failure.Message);
    }

    private static X509Certificate2 Certificate(RSA key) => new CertificateRequest("CN=daemon", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
        .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));

    private sealed class Refusing : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            throw new HttpRequestException(HttpRequestError.ConnectionError, "no route to host");
    }
}

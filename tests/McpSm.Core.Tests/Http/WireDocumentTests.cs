using System.Diagnostics;
using System.Text.Json.Nodes;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Errors;
using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Http;

/// <summary>Metadata with transport faults: one clear error, the browser does not open, and nothing is stored.</summary>
public sealed class WireDocumentTests
{
    [FieldFault(5, 14, 15)]
    [Rule(30)]
    [Theory]
    [InlineData("silence", ErrorReason.ServerUnreachable)]
    [InlineData("a byte now and then", ErrorReason.ServerUnreachable)]
    [InlineData("a header without end", ErrorReason.ServerUnreachable)]
    [InlineData("1xx without end", ErrorReason.ServerUnreachable)]
    [InlineData("a body without end", ErrorReason.MetadataInvalid)]
    [InlineData("5 MB", ErrorReason.MetadataInvalid)]
    [InlineData("the end of the connection", ErrorReason.ServerUnreachable)]
    [InlineData("a reset", ErrorReason.ServerUnreachable)]
    [InlineData("no http", ErrorReason.ServerUnreachable)]
    [InlineData("100 KB of headers", ErrorReason.ProtocolViolation)]
    [InlineData("10,000 cookies", ErrorReason.ProtocolViolation)]
    [InlineData("a gzip bomb", ErrorReason.MetadataInvalid)]
    [InlineData("gzip that was not requested", ErrorReason.MetadataInvalid)]
    [InlineData("a redirect to itself", ErrorReason.MetadataInvalid)]
    [InlineData("a redirect to a script", ErrorReason.UnsafeEndpoint)]
    [InlineData("a redirect to nowhere", ErrorReason.MetadataInvalid)]
    [InlineData("another protocol", ErrorReason.MetadataInvalid)]
    [InlineData("nothing", ErrorReason.MetadataInvalid)]
    [InlineData("no content", ErrorReason.MetadataInvalid)]
    [InlineData("a web page", ErrorReason.MetadataInvalid)]
    [InlineData("JSON of a million levels", ErrorReason.MetadataInvalid)]
    public async Task Wire_fault_in_a_metadata_document_is_one_error(string fault, ErrorReason reason)
    {
        await using var scene = await SignInFixture.StartAsync();
        await using var raw = WireFaults.Start(fault, "{}");
        var timeout = TimeSpan.FromSeconds(WireFaults.Endless.Contains(fault) ? 1 : 20);

        scene.Resource.Challenge = _ => $"Bearer resource_metadata=\"{raw.Url}\"";
        await FailsAsync();
        scene.Resource.Challenge = null;
        scene.Resource.Issuers = [raw.Url.AbsoluteUri.TrimEnd('/')];
        await FailsAsync();

        Assert.All(raw.Requests, r => Assert.DoesNotContain("Accept-Encoding", r));
        scene.Resource.Issuers = [scene.Issuer.Issuer];
        await scene.LoginAsync();
        Assert.Equal(AuthState.Authenticated, scene.Status.State);

        async Task FailsAsync()
        {
            var started = Stopwatch.GetTimestamp();
            var e = await scene.FailsAsync(o => o with { Timeout = timeout });
            Assert.Equal((reason, "my-api"), (e.Reason, e.Server));
            Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(15));
            Assert.Equal(AuthState.NotAuthenticated, scene.Status.State);
            Assert.Empty(scene.Person.Visited);
            Assert.InRange(raw.Connections, 1, 20);
        }
    }

    [Rule(30)]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Metadata_over_untrusted_TLS_is_an_error(bool ofIssuer)
    {
        await using var scene = await SignInFixture.StartAsync();
        await using var tls = await TestMcpServer.StartAsync(new() { Certificate = LoopbackCertificates.Server, MetadataAtRoot = true });
        scene.Resource.Challenge = own => ofIssuer ? own : $"Bearer resource_metadata=\"{tls.RootResourceMetadataUrl}\"";
        scene.Resource.Issuers = [tls.McpUrl.GetLeftPart(UriPartial.Authority)];
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.ServerUnreachable, e.Reason);
        Assert.Contains("a trusted TLS connection cannot be established", e.Message);
        Assert.Empty(tls.Traffic.Requests);
    }

    [Theory]
    [InlineData("issuer")]
    [InlineData("token_endpoint")]
    [InlineData("another")]
    public async Task Metadata_with_a_duplicate_member_is_refused(string member)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.Answer("/.well-known", 200,
            $$"""{"issuer":"{{scene.Issuer.Issuer}}","token_endpoint":"{{scene.Issuer.Issuer}}/token","another":1,"{{member}}":"{{scene.Issuer.Issuer}}"}""");
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.MetadataInvalid, e.Reason);
        Assert.Contains("has a duplicate member", e.Message);
    }

    [FieldFault(13)]
    [Rule(6, 30)]
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Redirected_issuer_metadata_is_used_only_if_it_names_the_issuer(bool right)
    {
        await using var scene = await SignInFixture.StartAsync();
        await using var other = await TestIssuer.StartAsync();
        await using var moved = WireFaults.Answering("302 Found", "",
            $"Location: {(right ? scene.Issuer : other).Issuer}/.well-known/oauth-authorization-server");
        scene.Issuer.Faults.Intercept("/.well-known/oauth-authorization-server", context =>
        {
            context.Response.Redirect(moved.Url.AbsoluteUri);
            return Task.CompletedTask;
        }, times: 1);
        if (right)
        {
            await scene.LoginAsync();
            return;
        }
        scene.Issuer.Faults.Answer("/.well-known/openid-configuration", 404);
        Assert.Equal(ErrorReason.IssuerMismatch, (await scene.FailsAsync()).Reason);
        Assert.Empty(scene.Person.Visited);
    }

    [FieldFault(13)]
    [Rule("7a", "30")]
    [Fact]
    public async Task Redirected_resource_metadata_is_used_only_if_it_names_the_server()
    {
        await using var scene = await SignInFixture.StartAsync();
        await using var other = await TestMcpServer.StartAsync(scene.Issuer);
        await using var moved = WireFaults.Answering("302 Found", "", $"Location: {other.ResourceMetadataUrl}");
        scene.Resource.Challenge = _ => $"Bearer resource_metadata=\"{moved.Url}\"";
        Assert.Equal(ErrorReason.ResourceMismatch, (await scene.FailsAsync()).Reason);
        other.Resource = scene.Resource.Resource;
        await scene.LoginAsync();
    }

    [Rule(6, 27)]
    [Theory]
    [InlineData("issuer", "https://evil.example", ErrorReason.IssuerMismatch)]
    [InlineData("token_endpoint", "http://evil.example/token", ErrorReason.UnsafeEndpoint)]
    [InlineData("token_endpoint", "javascript:alert(1)", ErrorReason.UnsafeEndpoint)]
    public async Task Issuer_metadata_that_turns_unsafe_prevents_the_renewal(string member, string value, ErrorReason reason)
    {
        var clock = new ManualTimeProvider();
        await using var scene = await SignInFixture.SignedInAsync(clock: clock);
        clock.Advance(TimeSpan.FromHours(25));
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json[member] = value);
        Assert.Equal(reason, (await Assert.ThrowsAsync<McpAuthException>(() => scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation))).Reason);
        Assert.Empty(scene.Issuer.Traffic.OfGrant("refresh_token"));
        Assert.Equal((true, false), (scene.Status.CanRenew, scene.Status.RenewalUncertain));
        scene.Issuer.Faults.Clear();
        await scene.Authenticator.Tokens.RenewAsync(scene.Server, Cancellation);
    }

    [Rule(6)]
    [Fact]
    public async Task Issuer_metadata_is_read_once_per_sign_in()
    {
        await using var scene = await SignInFixture.StartAsync();
        await using var other = await TestIssuer.StartAsync();
        var reads = 0;
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["token_endpoint"] = (++reads > 1 ? other : scene.Issuer).Issuer + "/token");
        await scene.LoginAsync();
        Assert.Single(scene.Issuer.Traffic.Below("/.well-known"));
        Assert.Single(scene.Resource.Traffic.Below("/.well-known"));
        Assert.Empty(other.Traffic.Requests);
    }

    [Rule(8)]
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Scopes_too_long_for_a_URL_are_one_error_with_a_remedy(bool chosen)
    {
        await using var scene = await SignInFixture.StartAsync(new() { ScopesSupported = ["mcp:tools"] });
        scene.Resource.Challenge = _ => $"Bearer resource_metadata=\"{scene.Resource.ResourceMetadataUrl}\"";
        scene.Resource.Faults.RewriteJson("/.well-known", json =>
            json["scopes_supported"] = new JsonArray([.. Enumerable.Range(0, 10_000).Select(i => (JsonNode)$"scope:{i}")]));
        if (chosen)
        {
            await scene.ChangeServerAsync(s => new(s) { Scopes = ["mcp:tools"] });
            await scene.LoginAsync();
            return;
        }
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.MetadataInvalid, e.Reason);
        Assert.Contains("10,000 scopes", e.Message);
        Assert.Contains("mcpsm server update my-api --scope", e.Remedy.InShell());
        Assert.Empty(scene.Person.Visited);
        Assert.Empty(scene.Issuer.Traffic.To("/register"));
    }

    [Fact]
    public async Task Endpoint_of_a_megabyte_is_refused_and_not_quoted()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Issuer.Faults.RewriteJson("/.well-known", json => json["authorization_endpoint"] += "?" + new string('x', 900_000));
        var e = await scene.FailsAsync();
        Assert.Equal(ErrorReason.UnsafeEndpoint, e.Reason);
        Assert.True(e.Message.Length < 1000);
        Assert.Empty(scene.Person.Visited);
    }
}

using McpSm.Core.Errors;
using McpSm.Core.Servers;
using McpSm.Core.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Http;

/// <summary>The transports and protocol revisions of servers.</summary>
public sealed class TransportTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    [Theory]
    [InlineData(McpTransport.Http)]
    [InlineData(McpTransport.Sse)]
    public async Task Server_of_the_MCP_SDK_is_signed_in_and_tested_by_either_transport(McpTransport transport)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var resource = await ProtectedMcpServer.StartAsync(issuer.Server);
        using var work = new TestEnvironment();
        var server = await work.AddAsync(transport == McpTransport.Sse ? resource.SseUrl : resource.McpUrl,
            s => new(s) { Transport = transport });

        var before = await work.Authenticator.Tester.TestAsync(server, Limit, Cancellation);
        Assert.Equal((ErrorReason.AuthenticationRequired, 401), (before.Reason, before.StatusCode));
        Assert.Equal("mcpsm auth login my-api", before.Remedy);

        var signedIn = await work.LoginAsync(server);
        Assert.Equal((AuthState.Authenticated, null), (signedIn.Status.State, signedIn.VerificationFailure));
        Assert.Equal(resource.McpUrl.AbsoluteUri, Assert.Single(issuer.Traffic.To("/token")).FormValue("resource"));

        var after = await work.Authenticator.Tester.TestAsync(work.Authenticator.Catalog.Get(server.Id), Limit, Cancellation);
        Assert.Null(after.Error);
        Assert.Equal(("sample-server", "1.0.0", 3), (after.ServerName, after.ServerVersion, after.ToolCount));
        Assert.Equal(transport == McpTransport.Http ? "2026-07-28" : "2025-11-25", after.ProtocolVersion);
    }

    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2025-06-18")]
    [InlineData("2025-03-26")]
    [InlineData("2024-11-05")]
    public async Task Server_of_an_earlier_revision_is_tested_in_that_revision(string revision)
    {
        await using var scene = await SignInFixture.SignedInAsync();
        scene.Resource.ProtocolVersion = revision;
        var result = await scene.Authenticator.Tester.TestAsync(scene.Server, Limit, Cancellation);
        Assert.Null(result.Error);
        Assert.Equal((revision, "test-server", 2), (result.ProtocolVersion, result.ServerName, result.ToolCount));
    }

    [Theory]
    [InlineData(McpTransport.Http)]
    [InlineData(McpTransport.Sse)]
    public async Task Web_page_is_not_a_server_of_either_transport(McpTransport transport)
    {
        await using var scene = await SignInFixture.StartAsync(server: s => new(s) { Transport = transport });
        scene.Resource.Faults.Answer("/", 200, "<html>", "text/html");
        Assert.Equal(ErrorReason.ProtocolViolation, (await scene.FailsAsync()).Reason);
        var result = await scene.Authenticator.Tester.TestAsync(scene.Server, Limit, Cancellation);
        Assert.Equal(ErrorReason.ProtocolViolation, result.Reason);
    }
}

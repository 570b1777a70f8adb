using McpSm.Core.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Discovery;

/// <summary>Servers that answer 400 to an MCP revision that they do not support yet.</summary>
public sealed class LegacyServerTests
{
    [FieldFault(28)]
    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2025-06-18")]
    [InlineData("2025-03-26")]
    public async Task Legacy_server_is_signed_in_and_tested(string newest)
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.NewestVersion = scene.Resource.ProtocolVersion = newest;
        Assert.Equal(AuthState.Authenticated, (await scene.LoginAsync()).Status.State);
        var result = await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(20), Cancellation);
        Assert.True(result.Success, result.Error);
        Assert.Equal((newest, 2), (result.ProtocolVersion, result.ToolCount));
        Assert.Equal(AuthState.Authenticated, (await scene.Authenticator.Tester.ValidateAsync(scene.Server, Cancellation)).State);
        scene.Resource.Introspect = _ => null;
        Assert.Equal(AuthState.Expired, (await scene.Authenticator.Tester.ValidateAsync(scene.Server, Cancellation)).State);
    }

    [Fact]
    public async Task Legacy_server_without_token_answers_401()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.NewestVersion = "2025-06-18";
        Assert.Equal(401, (await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(20), Cancellation)).StatusCode);
    }

    [FieldFault(28)]
    [Fact]
    public async Task Legacy_server_that_is_open_needs_no_credential()
    {
        await using var server = await TestMcpServer.StartAsync(new() { Open = true, MetadataAtPath = false });
        server.NewestVersion = server.ProtocolVersion = "2025-06-18";
        using var work = new TestEnvironment();
        var added = await work.AddAsync(server.McpUrl);
        Assert.Equal(AuthState.NoAuth, (await work.LoginAsync(added)).Status.State);
        Assert.True((await work.Authenticator.Tester.TestAsync(added, TimeSpan.FromSeconds(20), Cancellation)).Success);
    }

    [Fact]
    public async Task Server_that_refuses_every_revision_is_asked_a_few_times()
    {
        await using var scene = await SignInFixture.StartAsync();
        scene.Resource.NewestVersion = "2024-01-01";
        var result = await scene.Authenticator.Tester.TestAsync(scene.Server, TimeSpan.FromSeconds(20), Cancellation);
        Assert.Equal((false, 400), (result.Success, result.StatusCode));
        Assert.InRange(scene.Resource.Traffic.Requests.Count, 2, 8);
    }
}

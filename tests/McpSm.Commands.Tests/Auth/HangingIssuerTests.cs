using McpSm.Commands.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Commands.Tests.Auth;

/// <summary>Tests of many processes that renew at an issuer that hangs.</summary>
public sealed class HangingIssuerTests
{
    [Rule(23)]
    [Theory]
    [InlineData("auth refresh my-api")]
    [InlineData("auth token my-api --renew")]
    public async Task Sixteen_processes_with_a_hanging_issuer_send_one_refresh_token_once(string line)
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var mcpsm = new CliProcess();
        (await mcpsm.RunAsync($"add my-api --type http --url {server.McpUrl}")).Done();
        (await mcpsm.RunAsync("auth login my-api --no-browser --callback-port 0")).Done();
        issuer.Faults.Hang("/token");
        var ended = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => mcpsm.RunAsync(line)));
        Assert.All(ended, e => e.Failed(1, "did not respond within 15 seconds", "then try again"));
        Assert.Single(issuer.Traffic.OfGrant("refresh_token"));
        issuer.Faults.Clear();
        (await mcpsm.RunAsync(line)).Done();
        Assert.Equal(2, issuer.Traffic.OfGrant("refresh_token").Count);
    }
}

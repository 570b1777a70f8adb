using McpSm.Commands.Tests.Support;
using McpSm.Samples;
using Xunit;

namespace McpSm.Commands.Tests.Documentation;

/// <summary>Tests of the sample <c>samples/DotNetClient</c>.</summary>
public sealed class DotNetClientTests
{
    [Fact]
    public async Task Sample_client_signs_in_and_shares_the_credential_with_mcpsm()
    {
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var mcpsm = new CliProcess();
        mcpsm.Variables["MCPSM_CALLBACK_PORT"] = "0";
        var first = (await mcpsm.RunSampleAsync(server.McpUrl.AbsoluteUri)).Done();
        Assert.Contains("echo: Gives back what it was given.", first.Out);
        Assert.Contains("response_type=code", first.Error);

        var second = (await mcpsm.RunSampleAsync(server.McpUrl.AbsoluteUri)).Done();
        Assert.Equal((first.Out, ""), (second.Out, second.Error));
        Assert.Contains("Authenticated", (await mcpsm.RunAsync("auth status")).Done().Out);
    }

    [Fact]
    public async Task Sample_client_without_a_person_says_what_to_do()
    {
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var mcpsm = new CliProcess();
        mcpsm.Variables["MCPSM_INTERACTIVE"] = "0";
        var ended = await mcpsm.RunSampleAsync(server.McpUrl.AbsoluteUri);
        Assert.Equal((1, ""), (ended.Code, ended.Out));
        Assert.Contains("needs a person", ended.Error);
        Assert.Contains("at a prompt", ended.Error);
    }
}

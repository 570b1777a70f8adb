using McpSm.PowerShell.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

/// <summary>Tests of cmdlets with a server that accepts only bound tokens (RFC 9449).</summary>
[Collection(SerialCollection.Name)]
public sealed class DPoPCmdletTests
{
    [Rule(35)]
    [Fact]
    public async Task Bound_token_has_its_type_in_the_status_and_a_proof_in_its_headers()
    {
        await using var issuer = await AuthorizationServer.StartAsync(new AuthorizationServerOptions { SupportsDPoP = true, RequireDPoPNonce = true });
        await using var server = await ProtectedMcpServer.StartAsync(issuer, new ProtectedMcpServerOptions { RequireDPoP = true, RequireDPoPNonce = true });
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0]", server.McpUrl.AbsoluteUri);
        Assert.Equal("Authenticated DPoP",
            session.Text("Connect-McpServer my-api -NoBrowser -CallbackPort 0 | ForEach-Object { \"$($_.State) $($_.TokenType)\" }"));
        Assert.Equal("True", session.Text("Test-McpServer my-api -Quiet"));
        Assert.Empty(session.Errors);

        Assert.StartsWith("at_", session.Text("Get-McpToken my-api -AsPlainText"));
        Assert.Contains("bound to a key (DPoP)", Assert.Single(session.Warnings));
        Assert.StartsWith("2 DPoP at_", session.Text("$h = Get-McpToken my-api -AsHeader -Method GET -Nonce n1; \"$($h.Count) $($h.Authorization)\""));
        Assert.Empty(session.Warnings);
        Assert.StartsWith("ey", session.Text("$h.DPoP"));
        session.Run("Get-McpToken my-api -AsHeader -Uri https://elsewhere.example/mcp");
        Assert.StartsWith("UnsafeEndpoint,", Assert.Single(session.Errors).FullyQualifiedErrorId);
    }

    [Rule(35)]
    [Fact]
    public void DPoP_setting_of_a_server_is_used()
    {
        using var session = new ModuleSession();
        session.Run("Add-McpServer a https://a.example/mcp -DPoP Always");
        Assert.Equal("Always", session.Text("(Get-McpServer a).DPoP"));
        Assert.Equal("Always", session.Text("(Get-McpServer a | Set-McpServer -OAuth on -PassThru).DPoP"));
        Assert.Equal("Auto", session.Text("(Set-McpServer a -DPoP auto -PassThru).DPoP"));
        Assert.Empty(session.Errors);
    }
}

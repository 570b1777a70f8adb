using System.Net;
using McpSm.PowerShell.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

/// <summary>Tests of a token that the server refuses before it expires.</summary>
[Collection(SerialCollection.Name)]
public sealed class DenyTests
{
    [Fact]
    public async Task Denied_token_is_renewed_by_the_next_call()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0]; Connect-McpServer my-api -NoBrowser -CallbackPort 0", server.McpUrl.AbsoluteUri);
        var first = session.Text("Get-McpToken my-api -AsPlainText");
        Assert.Equal("Expired", session.Text("(Deny-McpToken my-api (Get-McpToken my-api) -PassThru).State"));
        Assert.Empty(session.Errors);
        var second = session.Text("Get-McpToken my-api -AsPlainText");
        Assert.NotEqual(first, second);
        session.Run("Deny-McpToken my-api $args[0]", new NetworkCredential("", first).SecurePassword);
        Assert.Contains("It was replaced already", Assert.Single(session.Warnings));
        Assert.Equal(second, session.Text("Get-McpToken my-api -AsPlainText"));

        // Without the argument the token is prompted for.
        session.Host.Typed.Enqueue(second);
        session.Run("Deny-McpToken my-api");
        Assert.NotEqual(second, session.Text("Get-McpToken my-api -AsPlainText"));
        Assert.Equal(2, issuer.Traffic.OfGrant("refresh_token").Count);
    }

    [Fact]
    public async Task Token_is_renewed_on_request_unless_the_user_set_it()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0]; Connect-McpServer my-api -NoBrowser -CallbackPort 0", server.McpUrl.AbsoluteUri);
        var first = session.Text("Get-McpToken my-api -AsPlainText");
        Assert.NotEqual(first, session.Text("Get-McpToken my-api -AsPlainText -Renew"));
        Assert.NotEqual($"Bearer {first}", session.Text("(Get-McpToken my-api -AsHeader -Renew).Authorization"));
        Assert.Equal(2, issuer.Traffic.OfGrant("refresh_token").Count);
        session.Run("Add-McpServer own https://a.example/mcp; Set-McpToken own $args[0]", new NetworkCredential("", "its-token").SecurePassword);
        foreach (var line in new[] { "Get-McpToken own -Renew", "Deny-McpToken own (Get-McpToken own)" })
        {
            session.Run(line);
            Assert.StartsWith("AuthenticationRequired,", Assert.Single(session.Errors).FullyQualifiedErrorId);
        }
    }
}

using McpSm.PowerShell.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

/// <summary>Tests of a sign-in through the identity provider of the organisation (rule 34 of docs/rules.md).</summary>
[Collection(SerialCollection.Name)]
public sealed class IdentityProviderTests
{
    [Rule(34)]
    [Fact]
    public async Task Named_provider_signs_in_to_one_server_and_the_configured_one_to_all()
    {
        var organisation = new Organisation();
        await using var provider = await AuthorizationServer.StartAsync(new AuthorizationServerOptions
        {
            AutoApprove = true,
            Organisation = organisation,
            ScopesSupported = ["openid", "offline_access"],
        });
        await using var issuer = await AuthorizationServer.StartAsync(new AuthorizationServerOptions
        {
            TrustedIdentityProviders = [provider.Issuer],
            PreRegisteredClients = [new RegisteredClient("at-server", null, [], "none")],
        });
        await using var one = await ProtectedMcpServer.StartAsync(issuer);
        await using var two = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        foreach (var (name, server) in new[] { ("one", one), ("two", two) })
        {
            organisation.Add(new OrganisationServer(issuer.Issuer, server.McpUrl.AbsoluteUri, "at-server", ["mcp:tools"]));
            session.Run("$null = Add-McpServer $args[0] $args[1] -ClientId at-server", name, server.McpUrl.AbsoluteUri);
        }
        var connected = session.Text("Connect-McpServer one -IdentityProvider $args[0] -NoBrowser -CallbackPort 0 | "
            + "ForEach-Object { \"$($_.State) $($_.SignedInBy) $($_.CanRenew)\" }", provider.Issuer);
        Assert.Empty(session.Errors.Select(e => e.ToString()));
        Assert.Equal("Authenticated IdentityProvider True", connected);
        Assert.Single(session.Host.Lines.ToArray(), l => l.Contains("response_type=code"));
        session.Run("mcpsm identity use $args[0] -q", provider.Issuer);
        Assert.Equal("one IdentityProvider, two IdentityProvider",
            session.Text("(Connect-McpServer -All -ThrottleLimit 1 -NonInteractive).ForEach({ \"$($_.Name) $($_.SignedInBy)\" }) -join ', '"));
        Assert.Single(session.Host.Lines.ToArray(), l => l.Contains("response_type=code"));
        Assert.Empty(session.Errors);
        session.Run("$completion = [System.Management.Automation.CommandCompletion]::CompleteInput('Connect-McpServer one -IdentityProvider ', 40, $null)");
        Assert.Equal(provider.Issuer, session.Text("$completion.CompletionMatches[0].ListItemText"));
        session.Run("Connect-McpServer two -IdentityProvider https://login.microsoftonline.com/common/v2.0");
        Assert.StartsWith("InvalidValue,", Assert.Single(session.Errors).FullyQualifiedErrorId);
    }
}

using System.Management.Automation;
using McpSm.PowerShell.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

/// <summary>Tests of a sign-in with a workload assertion.</summary>
[Collection(SerialCollection.Name)]
public sealed class WorkloadCmdletTests
{
    [Rule(36)]
    [Fact]
    public async Task Assertion_file_or_variable_signs_in_and_the_full_path_is_saved()
    {
        await using var platform = await WorkloadPlatform.StartAsync();
        await using var issuer = await AuthorizationServer.StartAsync(new()
        {
            TrustedPlatforms = [platform.Trusted],
            PreRegisteredClients = [new RegisteredClient("job", null, [], "none")],
        });
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0]", server.McpUrl.AbsoluteUri);
        File.WriteAllText(Path.Combine(session.Folder, "token"), platform.Sign(issuer.Issuer));
        session.Run("$ExecutionContext.SessionState.Path.SetLocation($args[0])", session.Folder);
        Assert.Equal("Authenticated Workload", session.Text(
            "Get-McpServer | Connect-McpServer -AssertionFile ./token -NonInteractive | ForEach-Object { \"$($_.State) $($_.SignedInBy)\" }"));
        Assert.Empty(session.Errors);
        // The saved path is absolute, so it works from another folder too.
        session.Run("$ExecutionContext.SessionState.Path.SetLocation($args[0])", Path.GetTempPath());
        Assert.Equal("Authenticated", session.Text("(Update-McpToken my-api).State"));
        Assert.Equal("Workload", session.Text("(Get-McpAuthStatus my-api).SignedInBy"));

        Environment.SetEnvironmentVariable("JOB_TOKEN", platform.Sign(issuer.Issuer));
        Assert.Equal("Authenticated",
            session.Text("(Connect-McpServer -Url $args[0] -AssertionVariable JOB_TOKEN -ClientId job).State", server.McpUrl.AbsoluteUri));
        Assert.Equal(["", "", "job"], issuer.IssuedTokens.Select(t => t.ClientId));

        Environment.SetEnvironmentVariable("JOB_TOKEN", platform.Sign("https://other.example"));
        session.Run("Connect-McpServer my-api -AssertionVariable JOB_TOKEN");
        Assert.StartsWith("AssertionRejected,", Assert.Single(session.Errors).FullyQualifiedErrorId);
        Assert.Equal(ErrorCategory.AuthenticationError, session.Errors[0].CategoryInfo.Category);
        Assert.DoesNotContain("eyJ", session.Errors[0].ToString());
        Environment.SetEnvironmentVariable("JOB_TOKEN", null);
        session.Run("Connect-McpServer my-api -AssertionVariable JOB_TOKEN");
        Assert.StartsWith("InvalidValue,", session.Errors[^1].FullyQualifiedErrorId);
    }
}

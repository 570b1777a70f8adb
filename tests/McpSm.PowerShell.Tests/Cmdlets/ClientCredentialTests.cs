using System.Management.Automation;
using System.Net;
using McpSm.PowerShell.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

/// <summary>Tests of a sign-in with client credentials.</summary>
[Collection(SerialCollection.Name)]
public sealed class ClientCredentialTests
{
    private static readonly Keys Key = Keys.Of("RS256");

    private static readonly AuthorizationServerOptions Knowing = new()
    {
        PreRegisteredClients =
        [
            new RegisteredClient("secretive", "s3cr3t", [], "client_secret_basic"),
            new RegisteredClient("signing", null, [], "private_key_jwt") { AssertionKey = Key.Certificate },
        ],
    };

    private static PSCredential Credential(string secret = "s3cr3t") => new("secretive", new NetworkCredential("", secret).SecurePassword);

    [Fact]
    public async Task Client_secret_as_a_credential_signs_in_unattended()
    {
        await using var issuer = await AuthorizationServer.StartAsync(Knowing);
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0]", server.McpUrl.AbsoluteUri);
        Assert.Equal("Authenticated True", session.Text(
            "Get-McpServer | Connect-McpServer -ClientCredential $args[0] -NonInteractive | ForEach-Object { \"$($_.State) $($_.CanRenew)\" }", Credential()));
        Assert.Empty(session.Errors);
        Assert.Equal("True", session.Text("Test-McpServer my-api -Quiet"));
        Assert.Equal("Authenticated", session.Text("(Update-McpToken my-api).State"));
        Assert.Equal(["client_credentials", "client_credentials"], issuer.IssuedTokens.Select(t => t.GrantType));
        Assert.Equal("NotAuthenticated", session.Text("(Disconnect-McpServer my-api -Force -PassThru).State"));
        Assert.Equal("Authenticated",
            session.Text("(Connect-McpServer -Url $args[0] -ClientCredential $args[1]).State", server.McpUrl.AbsoluteUri, Credential()));
        session.Run("Connect-McpServer my-api -ClientCredential $args[0]", Credential("wrong"));
        Assert.StartsWith("ClientRejected,", Assert.Single(session.Errors).FullyQualifiedErrorId);
        Assert.Equal(ErrorCategory.AuthenticationError, session.Errors[0].CategoryInfo.Category);
    }

    [Fact]
    public async Task Client_certificate_or_key_file_signs_in()
    {
        await using var issuer = await AuthorizationServer.StartAsync(Knowing);
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        using var certificate = Key.WithKey();
        session.Run("Add-McpServer my-api $args[0]", server.McpUrl.AbsoluteUri);
        session.Run("Connect-McpServer my-api -Certificate $args[0] -ClientId signing", certificate);
        Assert.Empty(session.Errors.Select(e => e.ToString()));
        File.WriteAllText(Path.Combine(session.Folder, "key.pem"), Key.Private);
        session.Run("$ExecutionContext.SessionState.Path.SetLocation($args[0])", session.Folder);
        Assert.Equal("Authenticated", session.Text("(Connect-McpServer my-api -KeyFilePath ./key.pem -ClientId signing).State"));
        session.Run("Set-McpServer my-api -ClientId signing");
        Assert.Equal("Authenticated", session.Text("(Connect-McpServer my-api -KeyFilePath ./key.pem).State"));
        Assert.Empty(session.Errors);
        session.Run("Connect-McpServer my-api -KeyFilePath ./nosuch.pem");
        Assert.StartsWith("InvalidValue,", Assert.Single(session.Errors).FullyQualifiedErrorId);
        Assert.All(issuer.IssuedTokens, t => Assert.Equal("signing", t.ClientId));
    }

    [Theory]
    [InlineData("-KeyFilePath $args[0] -ClientId signing")]
    [InlineData("-AssertionFile $args[0]")]
    public async Task Stop_ends_the_wait_for_an_empty_pipe(string how)
    {
        Require.Programs("mkfifo");
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        var pipe = Path.Combine(session.Folder, "pipe");
        using (var make = System.Diagnostics.Process.Start("mkfifo", pipe))
        {
            await make.WaitForExitAsync(Cancellation);
        }
        session.Run("Add-McpServer my-api $args[0]", server.McpUrl.AbsoluteUri);
        using var shell = session.Shell($"Connect-McpServer my-api {how}", pipe);
        var running = shell.BeginInvoke();
        await Task.Delay(TimeSpan.FromSeconds(1), Cancellation);
        Assert.False(running.IsCompleted);
        var stopped = Task.Run(shell.Stop, Cancellation);
        Assert.Same(stopped, await Task.WhenAny(stopped, Task.Delay(TimeSpan.FromSeconds(10), Cancellation)));
    }

    [Theory]
    [InlineData("Connect-McpServer my-api -UseDeviceCode -ClientCredential $c")]
    [InlineData("Connect-McpServer -All -ClientCredential $c")]
    [InlineData("Connect-McpServer my-api -KeyFilePath ./key.pem -ClientCredential $c")]
    [InlineData("Connect-McpServer my-api -ClientId signing")]
    [InlineData("Connect-McpServer my-api -AssertionFile ./token -AssertionVariable JOB_TOKEN")]
    [InlineData("Connect-McpServer my-api -AssertionFile ./token -ClientCredential $c")]
    [InlineData("Connect-McpServer my-api -AssertionVariable JOB_TOKEN -NoBrowser")]
    [InlineData("Connect-McpServer -All -AssertionFile ./token")]
    [InlineData("Connect-McpServer my-api -AssertionFile ./token -IdentityProvider https://login.example.com")]
    [InlineData("Connect-McpServer -All -IdentityProvider https://login.example.com")]
    public void Conflicting_client_parameters_are_ambiguous(string script)
    {
        using var session = new ModuleSession();
        session.Run("$c = $args[0]; " + script, Credential());
        Assert.StartsWith("AmbiguousParameterSet,", Assert.Single(session.Errors).FullyQualifiedErrorId);
    }

    [Fact]
    public async Task Device_code_entered_by_the_user_signs_in()
    {
        await using var issuer = await AuthorizationServer.StartAsync(new() { SupportsDeviceCode = true, DevicePollingInterval = TimeSpan.FromSeconds(1) });
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0]", server.McpUrl.AbsoluteUri);
        using var shell = session.Shell("(Connect-McpServer my-api -UseDeviceCode).State");
        var running = shell.BeginInvoke();
        string? shown = null;
        for (var i = 0; shown is null && i < 500; i++)
        {
            await Task.Delay(20, Cancellation);
            shown = session.Host.Lines.ToArray().FirstOrDefault(l => l.StartsWith("and enter the code  ", StringComparison.Ordinal));
        }
        Assert.True(issuer.DecideDevice(shown!["and enter the code  ".Length..], approve: true));
        Assert.Equal("Authenticated", shell.EndInvoke(running)[0].ToString());
    }
}

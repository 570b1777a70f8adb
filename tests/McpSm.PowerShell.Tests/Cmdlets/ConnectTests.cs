using McpSm.PowerShell.Tests.Support;
using McpSm.Samples;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

/// <summary>Tests of the parameter sets of Connect-McpServer.</summary>
[Collection(SerialCollection.Name)]
public sealed class ConnectTests
{
    private static int SignIns(ModuleSession session)
    {
        var count = session.Host.Lines.ToArray().Count(l => l.Contains("response_type=code"));
        session.Host.Lines.Clear();
        return count;
    }

    [Theory]
    [InlineData("Connect-McpServer -Name my-api -All")]
    [InlineData("Connect-McpServer -Name my-api -Force")]
    [InlineData("Connect-McpServer -All -Url https://a.example/mcp")]
    public void Conflicting_connect_parameters_are_ambiguous(string line)
    {
        using var session = new ModuleSession();
        session.Run(line);
        Assert.StartsWith("AmbiguousParameterSet,", Assert.Single(session.Errors).FullyQualifiedErrorId);
    }

    [Fact]
    public async Task Connect_with_a_URL_adds_the_server_once_and_signs_in()
    {
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal("Authenticated", session.Text("(Connect-McpServer -Url $args[0] -NoBrowser -CallbackPort 0).State", server.McpUrl.AbsoluteUri));
            Assert.Equal(1, SignIns(session));
            Assert.Equal($"127-0-0-1-{server.McpUrl.Port}", session.Text("(Get-McpServer).Id"));
        }
        session.Run("Connect-McpServer -Url ftp://a.example");
        Assert.StartsWith("InvalidServerUrl,", Assert.Single(session.Errors).FullyQualifiedErrorId);
        Assert.Single(session.Run("Get-McpServer"));
    }

    [Fact]
    public async Task Connect_all_skips_valid_servers_and_renews_unless_forced()
    {
        await using var issuer = await AuthorizationServer.StartAsync(new AuthorizationServerOptions { AccessTokenLifetime = TimeSpan.FromSeconds(3) });
        await using var lasting = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        await using var other = await ProtectedMcpServer.StartAsync(lasting);
        using var session = new ModuleSession();
        session.Run("Add-McpServer short $args[0]; Add-McpServer long $args[1]; Add-McpServer off https://a.example/mcp -OAuth off",
            server.McpUrl.AbsoluteUri, other.McpUrl.AbsoluteUri);
        const string all = "(Connect-McpServer -All -ThrottleLimit 1 -NoBrowser -CallbackPort 0 @args).ForEach({ \"$($_.Name) $($_.State)\" }) -join ', '";
        Assert.Equal("short Authenticated, long Authenticated", session.Text(all));
        Assert.Equal(2, SignIns(session));
        var token = session.Text("Get-McpToken short -AsPlainText");
        await Task.Delay(TimeSpan.FromSeconds(3.2), Cancellation);
        Assert.Equal("short Authenticated, long Authenticated", session.Text(all));
        Assert.Equal(0, SignIns(session));
        Assert.NotEqual(token, session.Text("Get-McpToken short -AsPlainText"));
        Assert.Equal("short Authenticated, long Authenticated", session.Text(all.Replace("@args", "-Force")));
        Assert.Equal(2, SignIns(session));
        Assert.Empty(session.Errors);
    }

    [Fact]
    public async Task Connect_with_a_name_always_signs_in()
    {
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0]", server.McpUrl.AbsoluteUri);
        for (var i = 0; i < 2; i++)
        {
            session.Run("Connect-McpServer MY* -NoBrowser -CallbackPort 0");
            Assert.Equal(1, SignIns(session));
        }
    }

    [Fact]
    public async Task Device_code_that_is_never_entered_times_out()
    {
        await using var issuer =
            await AuthorizationServer.StartAsync(new AuthorizationServerOptions { SupportsDeviceCode = true, DevicePollingInterval = TimeSpan.FromSeconds(1) });
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0]; $null = Connect-McpServer my-api -UseDeviceCode -TimeoutSec 2", server.McpUrl.AbsoluteUri);
        Assert.StartsWith("AuthenticationTimeout,", Assert.Single(session.Errors).FullyQualifiedErrorId);
        Assert.Contains(session.Host.Lines, l => l.StartsWith($"To sign in, visit {issuer.Issuer}/device?user_code="));
        Assert.Equal(0, SignIns(session));
    }

    [Theory]
    [InlineData("Connect-McpServer my-api -CallbackPort 65536")]
    [InlineData("Connect-McpServer my-api -TimeoutSec 0")]
    public void Numbers_out_of_range_are_refused_at_once(string line)
    {
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api https://a.example/mcp");
        session.Run(line);
        Assert.StartsWith("ParameterArgumentValidationError,", Assert.Single(session.Errors).FullyQualifiedErrorId);
    }

    [Fact]
    public async Task Extension_vault_of_Mcpsm_is_refused_before_a_sign_in()
    {
        await using var issuer = await TestIssuer.StartAsync();
        await using var server = await TestMcpServer.StartAsync(issuer);
        using var session = new ModuleSession(withSecretManagement: true);
        session.Run("$global:StandInVaults['Mine'] = @{ IsDefault = $true; ModuleName = 'Mcpsm'; Secrets = @{}; Mode = ''; AlwaysSecure = $false }");
        session.Run("Add-McpServer my-api $args[0]; Connect-McpServer my-api -CallbackPort 0 -NoBrowser -Vault secretmanagement:Mine",
            server.McpUrl.AbsoluteUri);
        Assert.Contains("is Mcpsm itself", Assert.Single(session.Errors).ToString());
        Assert.Equal(0, SignIns(session));
        Assert.Empty(issuer.Traffic.To("/register"));
        session.Run("Set-McpVault secretmanagement:Mine; Set-McpVault secretmanagement:Mine -Move");
        Assert.Equal(2, session.Errors.Count(e => e.ToString().Contains("is Mcpsm itself")));
    }
}

using System.Net;
using McpSm.PowerShell.Tests.Support;
using McpSm.Samples;
using Xunit;

namespace McpSm.PowerShell.Tests.SecretManagement;

[Collection(SerialCollection.Name)]
public sealed class SecretManagementTests
{
    /// <summary>A filter without the vault of the operating system, which not every machine has.</summary>
    private const string NotTheSystems = "Where-Object { $_ -notin 'secret-service', 'credential-manager', 'keychain' }";

    private static ModuleSession WithVault(string mode = "", bool isDefault = true)
    {
        var session = new ModuleSession(withSecretManagement: true);
        session.Run(
            "$global:StandInVaults['Store'] = @{ IsDefault = $args[0]; ModuleName = 'Some.Store'; Secrets = @{}; Mode = $args[1]; AlwaysSecure = $false }",
            isDefault, mode);
        session.Run("Add-McpServer my-api https://a.example/mcp");
        return session;
    }

    private static void SetToken(ModuleSession session, string options = "") =>
        session.Run($"Set-McpToken my-api $args[0] {options}", new NetworkCredential("", "kept-token").SecurePassword);

    [Fact]
    public async Task Default_vault_of_SecretManagement_stores_a_sign_in()
    {
        await using var issuer = await AuthorizationServer.StartAsync();
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = WithVault();
        session.Run("Set-McpServer my-api -Url $args[0]", server.McpUrl.AbsoluteUri);
        Assert.Equal("secretmanagement:Store", session.Text("(Connect-McpServer my-api -NoBrowser -CallbackPort 0).Vault"));
        Assert.Empty(session.Errors);
        var names = session.Run("$global:StandInVaults['Store'].Secrets.Keys").Select(o => o.ToString()).Order().ToList();
        Assert.Equal("mcpsm-my-api", names[0]);
        Assert.Matches("^mcpsmclient-[0-9a-f]{16}$", names[1]);
        Assert.Equal(2, names.Count);
        Assert.NotNull(issuer.Introspect(session.Text("mcpsm auth token my-api")));
        Assert.False(File.Exists(Path.Combine(session.Folder, "credentials.enc")));
        Assert.Empty(session.Run("$Error"));
    }

    [Fact]
    public void Status_never_calls_the_vault()
    {
        using var session = WithVault();
        SetToken(session);
        session.Run("$global:StandInCalls.Clear()");
        Assert.Equal("BearerToken", session.Text("(Get-McpAuthStatus).State"));
        session.Run("mcpsm auth status; mcpsm auth status --json");
        Assert.Equal("0", session.Text("$global:StandInCalls.Count"));
    }

    [Theory]
    [InlineData("Locked", "VaultLocked", "Unlock-SecretVault -Name 'Store'")]
    [InlineData("Broken", "VaultUnavailable", "Test-SecretVault -Name 'Store' -Verbose")]
    [InlineData("Forgetful", "VaultUnavailable", "Choose another vault: Set-McpVault file")]
    public void Failing_vault_is_an_error_and_no_other_vault_is_used(string mode, string id, string next)
    {
        using var session = WithVault(mode);
        SetToken(session);
        var error = Assert.Single(session.Errors);
        Assert.StartsWith(id + ",", error.FullyQualifiedErrorId);
        Assert.Equal(next, error.ErrorDetails.RecommendedAction);
        Assert.DoesNotContain("kept-token", error.ToString());
        Assert.False(File.Exists(Path.Combine(session.Folder, "credentials.enc")));
        Assert.Equal("NotAuthenticated", session.Text("(Get-McpAuthStatus).State"));
    }

    [Fact]
    public void Named_vault_is_used_and_saved_for_its_server()
    {
        using var session = WithVault(isDefault: false);
        SetToken(session, "-Vault secretmanagement:Store");
        Assert.Equal("secretmanagement:Store", session.Text("(Get-McpAuthStatus).Vault"));
        session.Run("$global:StandInVaults['Store'].AlwaysSecure = $true");
        Assert.Equal("kept-token", session.Text("Get-McpToken my-api -AsPlainText"));
        SetToken(session, "-Vault secretmanagement:Nosuch");
        Assert.StartsWith("VaultUnavailable,", Assert.Single(session.Errors).FullyQualifiedErrorId);
        Assert.Equal("kept-token", session.Text("Get-McpToken my-api -AsPlainText"));
        session.Run("$global:StandInVaults['Store'].Mode = 'Locked'; Get-McpToken my-api");
        Assert.StartsWith("VaultLocked,", Assert.Single(session.Errors).FullyQualifiedErrorId);
    }

    [Fact]
    public void Extension_vault_of_Mcpsm_or_a_missing_module_is_refused()
    {
        using (var session = WithVault())
        {
            session.Run("$global:StandInVaults['Store'].ModuleName = 'Mcpsm'");
            SetToken(session, "-Vault secretmanagement:Store");
            Assert.Contains("is Mcpsm itself", Assert.Single(session.Errors).ToString());
            Assert.Equal("file", session.Text($"(Get-McpVault).Name | {NotTheSystems}"));
        }
        using var without = new ModuleSession();
        without.Run("Add-McpServer my-api https://a.example/mcp");
        SetToken(without, "-Vault secretmanagement:Store");
        Assert.StartsWith("SecretManagementMissing,", Assert.Single(without.Errors).FullyQualifiedErrorId);
        SetToken(without);
        Assert.Equal("file", without.Text("(Get-McpAuthStatus).Vault"));
    }

    [Fact]
    public void Chosen_vault_is_tested_and_returned()
    {
        using var session = WithVault(isDefault: false);
        Assert.Equal("secretmanagement:Store True",
            session.Text("Set-McpVault secretmanagement:Store -PassThru | ForEach-Object { \"$($_.Name) $($_.InUse)\" }"));
        Assert.Equal("secretmanagement:Store file", session.Text($"((Get-McpVault).Name | {NotTheSystems}) -join ' '"));
        Assert.Equal("0", session.Text("$global:StandInVaults['Store'].Secrets.Count"));
    }

    [Fact]
    public void Several_runspaces_share_the_runspace_of_SecretManagement()
    {
        using var session = WithVault("SingleRunspace");
        SetToken(session);
        Assert.Equal("6", session.Text("""
            $vaults = $global:StandInVaults; $module, $standIn = $args
            (1..6 | ForEach-Object -ThrottleLimit 6 -Parallel {
                $global:StandInVaults = $using:vaults; $global:StandInCalls = [System.Collections.Generic.List[string]]::new()
                Import-Module $using:standIn, $using:module
                Get-McpToken my-api -AsPlainText
            }).Where({ $_ -eq 'kept-token' }).Count
            """, ModuleSession.Module, Path.Combine(AppContext.BaseDirectory, "StandIn", "Microsoft.PowerShell.SecretManagement")));
        Assert.Empty(session.Errors);
    }
}

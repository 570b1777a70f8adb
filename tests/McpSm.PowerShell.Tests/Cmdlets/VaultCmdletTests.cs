using System.Net;
using System.Security;
using McpSm.PowerShell.Tests.Support;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

[Collection(SerialCollection.Name)]
public sealed class VaultCmdletTests
{
    private static SecureString Secure(string text) => new NetworkCredential("", text).SecurePassword;

    private static ModuleSession WithToken(bool withSecretManagement = false)
    {
        var session = new ModuleSession(withSecretManagement);
        session.Run("Add-McpServer my-api https://a.example/mcp; Set-McpToken my-api $args[0] -Vault file", Secure("its-token"));
        Assert.Empty(session.Errors);
        return session;
    }

    private static ModuleSession WithStore()
    {
        var session = WithToken(withSecretManagement: true);
        session.Run("$global:StandInVaults['Store'] = @{ IsDefault = $false; ModuleName = 'Some.Store'; Secrets = @{}; Mode = ''; AlwaysSecure = $false }");
        return session;
    }

    [Fact]
    public void Unregistered_vault_in_use_is_listed_as_missing()
    {
        using var session = WithStore();
        session.Run("Set-McpVault secretmanagement:Store; $StandInVaults.Remove('Store')");
        Assert.Equal("secretmanagement:Store it is set in settings.json, but it does not exist "
            + "The vault does not exist on this system. Credentials cannot be stored in it.",
            session.Text("Get-McpVault | Where-Object InUse | ForEach-Object { \"$($_.Name) $($_.Why) $($_.Protection)\" }"));
    }

    [Theory]
    [InlineData("Set-McpVault file", "VaultLocked")]
    [InlineData("Set-McpVault -NewKeyFile", "VaultLocked")]
    [InlineData("[IO.File]::WriteAllText(\"$env:MCPSM_CONFIG_DIR/credentials.enc\", 'x'); Set-McpVault file", "VaultCorrupt")]
    public void Target_of_a_vault_error_is_the_vault(string script, string id)
    {
        using var session = WithToken();
        session.Run("Set-McpVault -Passphrase $args[0]", Secure("right"));
        Assert.Empty(session.Errors);
        session.Run(script);
        var error = Assert.Single(session.Errors);
        Assert.StartsWith(id + ",", error.FullyQualifiedErrorId);
        Assert.Equal("file", error.TargetObject);
    }

    [Fact]
    public void Vault_list_shows_which_is_in_use_and_how_it_protects()
    {
        using var session = WithStore();
        Assert.Equal("False", session.Text("(Get-McpVault file).InUse"));
        session.Run("Set-McpVault file");
        Assert.Equal("file True it is set in settings.json", session.Text("Get-McpVault F* | ForEach-Object { \"$($_.Name) $($_.InUse) $($_.Why)\" }"));
        Assert.Contains("not against programs that run as you", session.Text("(Get-McpVault file).Protection"));
        Assert.Equal("secretmanagement:Store False ", session.Text("Get-McpVault *:store | ForEach-Object { \"$($_.Name) $($_.InUse) $($_.Why)\" }"));
        Assert.Empty(session.Run("Get-McpVault nosuch*"));
        Assert.Empty(session.Errors);
        Assert.Equal("file", session.Text("(Get-McpVault nosuch, file).Name"));
        var error = Assert.Single(session.Errors);
        Assert.Equal(("nosuch", "Get-McpVault"), ((string)error.TargetObject, error.ErrorDetails.RecommendedAction));
        Assert.StartsWith("VaultUnavailable,", error.FullyQualifiedErrorId);
        Environment.SetEnvironmentVariable("MCPSM_VAULT", "secretmanagement:Store");
        Assert.Equal("MCPSM_VAULT names it", session.Text("(Get-McpVault secretmanagement:Store).Why"));
    }

    [Fact]
    public void New_vault_is_used_at_once_and_old_credentials_stay_until_moved()
    {
        using var session = WithStore();
        Assert.Equal("secretmanagement:Store", session.Text("(Get-McpVault *Store | Set-McpVault -PassThru).Name"));
        Assert.Equal("The credentials of my-api stay in another vault. Move them with: Set-McpVault secretmanagement:Store -Move",
            Assert.Single(session.Warnings));
        Assert.Equal("file", session.Text("(Get-McpAuthStatus).Vault"));
        session.Run("Set-McpVault secretmanagement:Store -Move");
        Assert.Empty(session.Errors);
        Assert.Contains("1 item was moved to 'secretmanagement:Store'.", session.Host.Lines);
        Assert.Equal("secretmanagement:Store", session.Text("(Get-McpAuthStatus).Vault"));
        Assert.Equal("mcpsm-my-api", session.Text("$global:StandInVaults['Store'].Secrets.Keys"));
        Assert.Equal("its-token", session.Text("Get-McpToken my-api -AsPlainText"));
        session.Run("$global:StandInVaults['Store'].Mode = 'Locked'; Set-McpVault file -Move");
        Assert.StartsWith("VaultLocked,", Assert.Single(session.Errors).FullyQualifiedErrorId);
        Assert.Equal("secretmanagement:Store", session.Text("(Get-McpVault).Where({ $_.InUse }).Name"));
        session.Run("$global:StandInVaults['Store'].Mode = ''; Set-McpVault file -Move");
        Assert.Equal("file its-token 0",
            session.Text("\"$((Get-McpAuthStatus).Vault) $(Get-McpToken my-api -AsPlainText) $($global:StandInVaults['Store'].Secrets.Count)\""));
    }

    [Fact]
    public void Move_out_of_SecretManagement_moves_only_items_of_Mcpsm()
    {
        using var session = WithStore();
        session.Run("Set-McpVault secretmanagement:Store");
        session.Run("""
            $secrets = $global:StandInVaults['Store'].Secrets
            $names = 'mcpsm-gone', 'mcpsmclient-0123456789abcdef', 'mcpsmidp-0123456789abcdef', 'mcpsmcheck-01234567', 'mcpsmother', 'mine'
            foreach ($name in $names) { $secrets[$name] = '{}' }
            Set-McpVault file -Move
            """);
        Assert.Empty(session.Errors);
        Assert.Equal(["mcpsmother", "mine"], session.Run("$global:StandInVaults['Store'].Secrets.Keys").Select(o => o.ToString()).Order());
        Assert.Contains("3 items were moved to 'file'.", session.Host.Lines);
    }

    [Fact]
    public void Suggested_move_command_works_for_any_vault_name()
    {
        using var session = WithToken(withSecretManagement: true);
        session.Run("$global:StandInVaults['My Store'] = @{ IsDefault = $false; ModuleName = 'Some.Store'; Secrets = @{}; Mode = ''; AlwaysSecure = $false }");
        session.Run("Set-McpVault 'secretmanagement:My Store'");
        session.Run(Assert.Single(session.Warnings).Split("with: ")[1]);
        Assert.Equal("secretmanagement:My Store", session.Text("(Get-McpAuthStatus).Vault"));
        session.Run("Set-McpVault file -Move");
        var hint = session.Text("mcpsm vault use 'secretmanagement:My Store' 2>&1 | ForEach-Object { \"$_\" } | Where-Object { $_ -match '--move' }");
        session.Run(hint[hint.IndexOf("mcpsm vault use", StringComparison.Ordinal)..]);
        Assert.Equal("secretmanagement:My Store", session.Text("(Get-McpAuthStatus).Vault"));
    }

    [Fact]
    public void Key_file_beside_a_passphrase_refuses_new_secrets_until_the_remedy()
    {
        using var session = WithToken();
        Environment.SetEnvironmentVariable("MCPSM_VAULT_PASSPHRASE", "one");
        session.Run("Set-McpToken my-api $args[0]", Secure("next-token"));
        var error = Assert.Single(session.Errors);
        Assert.StartsWith("VaultUnavailable,", error.FullyQualifiedErrorId);
        Assert.Equal("its-token", session.Text("Get-McpToken my-api -AsPlainText"));
        // The bare engine has no ConvertTo-SecureString.
        Assert.Equal("Set-McpVault -Passphrase (ConvertTo-SecureString $env:MCPSM_VAULT_PASSPHRASE -AsPlainText)", error.ErrorDetails.RecommendedAction);
        session.Run("Set-McpVault -Passphrase $args[0]", Secure("one"));
        session.Run("Set-McpToken my-api $args[0]", Secure("next-token"));
        Assert.Empty(session.Errors);
        Assert.Equal("next-token", session.Text("Get-McpToken my-api -AsPlainText"));
    }

    [Fact]
    public void Encrypted_file_changes_to_a_passphrase_and_back()
    {
        using var session = WithToken();
        session.Run("Set-McpVault -Passphrase $args[0]", Secure(""));
        Assert.StartsWith("InvalidValue,", Assert.Single(session.Errors).FullyQualifiedErrorId);
        Assert.Equal("its-token", session.Text("Get-McpToken my-api -AsPlainText"));

        Assert.Contains("useless without the passphrase", session.Text("(Set-McpVault -Passphrase $args[0] -PassThru).Protection", Secure("one")));
        Assert.Contains("Set MCPSM_VAULT_PASSPHRASE to the new passphrase in every environment that uses the credentials.", session.Host.Lines);
        Assert.False(File.Exists(Path.Combine(session.Folder, "credentials.key")));
        session.Run("Get-McpToken my-api");
        Assert.StartsWith("VaultLocked,", Assert.Single(session.Errors).FullyQualifiedErrorId);
        session.Run("Set-McpVault -NewKeyFile");
        Assert.StartsWith("VaultLocked,", Assert.Single(session.Errors).FullyQualifiedErrorId);

        Environment.SetEnvironmentVariable("MCPSM_VAULT_PASSPHRASE", "one");
        Assert.Equal("its-token", session.Text("Get-McpToken my-api -AsPlainText"));
        session.Run("Set-McpVault -NewKeyFile");
        Environment.SetEnvironmentVariable("MCPSM_VAULT_PASSPHRASE", null);
        Assert.Equal("its-token", session.Text("Get-McpToken my-api -AsPlainText"));

        var key = File.ReadAllText(Path.Combine(session.Folder, "credentials.key"));
        session.Run("Set-McpVault -NewKeyFile");
        Assert.NotEqual(key, File.ReadAllText(Path.Combine(session.Folder, "credentials.key")));
        Assert.Equal("its-token", session.Text("Get-McpToken my-api -AsPlainText"));
    }

    [Theory]
    [InlineData("Set-McpVault -Name file -NewKeyFile")]
    [InlineData("Set-McpVault -NewKeyFile -Move")]
    [InlineData("Set-McpVault -NewKeyFile -Passphrase ([securestring]::new())")]
    public void Conflicting_vault_parameters_are_ambiguous(string line)
    {
        using var session = WithToken();
        session.Run(line);
        Assert.StartsWith("AmbiguousParameterSet,", Assert.Single(session.Errors).FullyQualifiedErrorId);
    }
}

using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using System.Text.Json.Nodes;
using McpSm.PowerShell.Tests.Support;
using McpSm.Samples;
using Microsoft.PowerShell.SecretManagement;
using Xunit;

namespace McpSm.PowerShell.Tests.SecretManagement;

/// <summary>Tests of the functions of the extension vault, called like SecretManagement calls them.</summary>
[Collection(SerialCollection.Name)]
public sealed class ServedSecretTests
{
    private static IReadOnlyList<PSObject> Ask(ModuleSession session, string function, Hashtable parameters, Hashtable? vaultParameters = null)
    {
        parameters["VaultName"] = "Mine";
        parameters["AdditionalParameters"] = new Hashtable(vaultParameters ?? []) { ["Verbose"] = false };
        return session.Run("param($function, $parameters) & (Get-Module Mcpsm) \"Mcpsm.Extension\\$function\" @parameters", function, parameters);
    }

    private static object? Get(ModuleSession session, string name, Hashtable? vaultParameters = null) =>
        Ask(session, "Get-Secret", new() { ["Name"] = name }, vaultParameters) is [var one] ? one.BaseObject : null;

    private static void Set(ModuleSession session, string name, object? secret, Hashtable? metadata = null, Hashtable? vaultParameters = null) =>
        Ask(session, "Set-Secret", new() { ["Name"] = name, ["Secret"] = secret, ["Metadata"] = metadata ?? [] }, vaultParameters);

    private static List<SecretInformation> List(ModuleSession session, string? filter = "*") =>
        [.. Ask(session, "Get-SecretInfo", new() { ["Filter"] = filter }).Select(o => (SecretInformation)o.BaseObject)];

    private static SecureString Secure(string text) => new NetworkCredential("", text).SecurePassword;

    private static void Refused(ModuleSession session, string id, string says, string? next = null)
    {
        var error = Assert.Single(session.Errors);
        Assert.StartsWith(id + ",", error.FullyQualifiedErrorId);
        Assert.Contains(says, error.ToString());
        if (next is not null)
        {
            Assert.Equal(next, error.ErrorDetails.RecommendedAction);
        }
    }

    [Fact]
    public void Secret_in_a_vault_of_another_system_is_removed_with_a_warning()
    {
        using var session = new ModuleSession();
        Set(session, "a tool's", "kept");
        var facts = Path.Combine(session.Folder, "credentials.json");
        File.WriteAllText(facts, File.ReadAllText(facts).Replace("\"file\"", "\"other-system\""));
        Ask(session, "Remove-Secret", new() { ["Name"] = "a tool's" });
        Assert.Empty(session.Errors);
        Assert.Single(session.Host.Lines, l => l.Contains("'a tool's' stays in the vault 'other-system'"));
        Ask(session, "Remove-Secret", new() { ["Name"] = "a tool's" });
        Refused(session, "SecretNotFound", "a tool's");
    }

    public static TheoryData<string> Names =>
        ["plain", "with spaces and ‘quotes’ \"$x\"", "Ünïcødé 漢字 🗝", "*?[a]", "mcpsm-my-api", "../../up", new string('n', 5000)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Secret_keeps_its_type_and_is_found_in_any_letter_case(string name)
    {
        using var session = new ModuleSession();
        Set(session, name, "text with ü\r\nand lines");
        Assert.Equal("text with ü\r\nand lines", Get(session, name.ToUpperInvariant()));
        Set(session, name.ToLowerInvariant(), Secure("now secure"));
        Assert.Equal("now secure", new NetworkCredential("", Assert.IsType<SecureString>(Get(session, name))).Password);
        Assert.Equal(SecretType.SecureString, Assert.Single(List(session)).Type);
        Ask(session, "Remove-Secret", new() { ["Name"] = name });
        Assert.Empty(session.Errors);
        Assert.Null(Get(session, name));
        Assert.Empty(List(session));
        Ask(session, "Remove-Secret", new() { ["Name"] = name });
        Refused(session, "SecretNotFound", "There is no secret");
    }

    [Fact]
    public void Unsupported_secret_type_is_refused_and_the_old_secret_stays()
    {
        using var session = new ModuleSession();
        Set(session, "a", "kept");
        foreach (var other in new object[] { new byte[] { 1 }, new PSCredential("user", Secure("x")), new Hashtable { ["k"] = "v" }, 5 })
        {
            Set(session, "a", other);
            Refused(session, "InvalidValue", $"Mcpsm cannot store a secret of type {other.GetType().Name}");
        }
        Set(session, "a", null);
        Refused(session, "InvalidValue", "The secret is null");
        Set(session, "a", "half a pair \ud83d.");
        Refused(session, "InvalidValue", "not valid Unicode");
        Set(session, "a", "x", new() { ["file"] = new object() });
        Refused(session, "InvalidValue", "The metadata 'file' cannot be stored: it is of type Object.");
        Assert.Equal("kept", Get(session, "a"));
    }

    [Fact]
    public void Metadata_of_a_secret_keeps_its_types_and_is_replaced()
    {
        using var session = new ModuleSession();
        var when = new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc).AddTicks(7);
        Set(session, "a", "text", new() { ["word"] = "ü", ["number"] = -5, ["long"] = 1L << 40, ["when"] = when, ["true"] = true, ["part"] = 0.1 });
        var kept = Assert.Single(List(session, "A*"));
        Assert.Equal("Mine", kept.VaultName);
        Assert.Equal([-5, 1L << 40, when, true, 0.1, "ü"], new[] { "number", "long", "when", "true", "part", "word" }.Select(k => kept.Metadata[k]!));
        Ask(session, "Set-SecretInfo", new() { ["Name"] = "A", ["Metadata"] = new Hashtable { ["only"] = 1 } });
        Assert.Equal(["only"], Assert.Single(List(session)).Metadata.Keys.Cast<string>());
        Assert.Equal("text", Get(session, "a"));
        Ask(session, "Set-SecretInfo", new() { ["Name"] = "nosuch", ["Metadata"] = new Hashtable() });
        Refused(session, "SecretNotFound", "There is no secret 'nosuch' here.");
        Assert.Empty(List(session, "b*"));
    }

    [Fact]
    public async Task Server_name_or_id_returns_its_token_renewed_if_due()
    {
        await using var issuer = await AuthorizationServer.StartAsync(new AuthorizationServerOptions { AccessTokenLifetime = TimeSpan.FromSeconds(4) });
        await using var server = await ProtectedMcpServer.StartAsync(issuer);
        using var session = new ModuleSession();
        session.Run("Add-McpServer 'My API' $args[0]", server.McpUrl.AbsoluteUri);
        session.Run("Connect-McpServer my-api -NoBrowser -CallbackPort 0");
        var first = new NetworkCredential("", Assert.IsType<SecureString>(Get(session, "My API"))).Password;
        Assert.True(issuer.Introspect(first)?.Active);
        await Task.Delay(TimeSpan.FromSeconds(4.5), Cancellation);
        Assert.NotEqual(true, issuer.Introspect(first)?.Active);
        var second = new NetworkCredential("", Assert.IsType<SecureString>(Get(session, "MY-API"))).Password;
        Assert.True(issuer.Introspect(second)?.Active);
        Assert.Empty(session.Errors);
    }

    [Fact]
    public async Task Servers_with_a_credential_are_listed_without_the_network_or_the_vault()
    {
        using var session = new ModuleSession();
        await using (var issuer = await AuthorizationServer.StartAsync())
        {
            await using var server = await ProtectedMcpServer.StartAsync(issuer);
            session.Run("Add-McpServer 'My API' $args[0]; Add-McpServer other https://b.example/mcp", server.McpUrl.AbsoluteUri);
            session.Run("Connect-McpServer my-api -NoBrowser -CallbackPort 0");
        }
        Set(session, "a-secret", "x");
        File.Delete(Path.Combine(session.Folder, "credentials.key"));
        var listed = Assert.Single(List(session, "my*"));
        Refused(session, "VaultLocked", "credentials.key is missing");
        Assert.Equal(("my-api", SecretType.SecureString), (listed.Name, listed.Type));
        Assert.Equal(["My API", "OAuth", "Authenticated", "file"], new[] { "McpServer", "Kind", "State", "Vault" }.Select(k => listed.Metadata[k]));
        Assert.True((DateTime)listed.Metadata["ExpiresAt"]! > DateTime.UtcNow);
        Assert.StartsWith("http://127.0.0.1", (string)listed.Metadata["Issuer"]!);
        // SecretManagement finds a name with this filter.
        Assert.Equal("my-api", Assert.Single(List(session, "My API")).Name);
        Assert.Empty(session.Errors);
    }

    [Fact]
    public void Secret_named_like_a_server_is_read_only()
    {
        using var session = new ModuleSession();
        session.Run("Add-McpServer 'My API' https://a.example/mcp; Set-McpToken my-api $args[0]", Secure("its-token"));
        foreach (var name in new[] { "my-api", "My API", "MY-API", "my api" })
        {
            Set(session, name, "another");
            Refused(session, "InvalidValue", $"'{name}' is an MCP server", "Set-McpToken 'My API'");
            Ask(session, "Remove-Secret", new() { ["Name"] = name });
            Refused(session, "InvalidValue", $"'{name}' is an MCP server", "Clear-McpToken 'My API'");
            Ask(session, "Set-SecretInfo", new() { ["Name"] = name, ["Metadata"] = new Hashtable() });
            Refused(session, "InvalidValue", $"'{name}' is an MCP server");
            Assert.Equal("its-token", new NetworkCredential("", (SecureString)Get(session, name)!).Password);
        }
    }

    [Fact]
    public void Name_of_a_secret_and_a_server_returns_neither_until_one_is_removed()
    {
        using var session = new ModuleSession();
        Set(session, "github", "a-tools-secret");
        session.Run("Add-McpServer github https://a.example/mcp; Set-McpToken github $args[0]", Secure("a-servers-token"));
        Assert.Null(Get(session, "GitHub"));
        Refused(session, "InvalidValue", "is both an MCP server and a secret of another tool: neither is given.",
            "Get-McpToken github gives the token; Remove-Secret GitHub removes the secret.");
        Set(session, "github", "more");
        Refused(session, "InvalidValue", "is an MCP server");
        Assert.Single(List(session));
        Ask(session, "Remove-Secret", new() { ["Name"] = "github" });
        Assert.Empty(session.Errors);
        Assert.Equal("a-servers-token", new NetworkCredential("", (SecureString)Get(session, "github")!).Password);
    }

    [Fact]
    public void Missing_secret_is_not_an_error_and_selects_no_vault()
    {
        using var session = new ModuleSession();
        Assert.Null(Get(session, "nosuch"));
        Assert.Empty(session.Errors);
        Assert.Empty(List(session));
        Assert.Empty(Directory.EnumerateFiles(session.Folder));
        session.Run("Add-McpServer my-api https://a.example/mcp");
        Assert.Null(Get(session, "my-api"));
        Refused(session, "AuthenticationRequired", "You are not signed in to 'my-api'.", "Connect-McpServer my-api");
        Assert.Empty(List(session));
    }

    [Fact]
    public void Vault_is_the_only_vault_parameter_of_a_registration()
    {
        using var session = new ModuleSession();
        Set(session, "a", "x", vaultParameters: new() { ["vault"] = "file" });
        Assert.Empty(session.Errors);
        Assert.Equal("x", Get(session, "a"));
        Set(session, "a", "y", vaultParameters: new() { ["Valut"] = "file" });
        Refused(session, "InvalidValue", "The vault parameter 'Valut' is unknown. Mcpsm has one vault parameter: Vault.",
            "Register-SecretVault -Name Mine -ModuleName Mcpsm -VaultParameters @{ Vault = 'file' } -AllowClobber");
        Set(session, "a", "y", vaultParameters: new() { ["Vault"] = "secretmanagement:Store" });
        Refused(session, "InvalidValue", "SecretManagement cannot open the vault 'secretmanagement:Store' while it is using this one.");
        Set(session, "a", "y", vaultParameters: new() { ["Vault"] = 5 });
        Refused(session, "InvalidValue", "is not the name of a vault");
        Set(session, "a", "y", vaultParameters: new() { ["Vault"] = "nosuch" });
        Refused(session, "VaultUnavailable", "The vault 'nosuch' does not exist on this system.");
        Assert.Equal("x", Get(session, "a"));
    }

    [Fact]
    public void Secret_is_stored_outside_SecretManagement_even_if_credentials_are_not()
    {
        using var session = new ModuleSession(withSecretManagement: true);
        session.Run("$global:StandInVaults['Store'] = @{ IsDefault = $true; ModuleName = 'Some.Store'; Secrets = @{}; Mode = ''; AlwaysSecure = $false }");
        session.Run("Add-McpServer my-api https://a.example/mcp; Add-McpServer other https://b.example/mcp; Set-McpToken my-api $args[0]", Secure("its-token"));
        session.Run("$global:StandInCalls.Clear()");
        Set(session, "a", "x");
        Assert.Equal("x", Get(session, "a"));
        Assert.Null(Get(session, "my-api"));
        Refused(session, "VaultUnavailable", "is in 'secretmanagement:Store', which SecretManagement cannot open while it is asked for this one.",
            "Get-McpToken my-api, or take credentials elsewhere: Set-McpVault file -Move");
        Assert.Null(Get(session, "other"));
        Refused(session, "AuthenticationRequired", "You are not signed in to 'other'.");
        Assert.Equal("0", session.Text("$global:StandInCalls.Count"));
        // The vault for secrets is not selected for credentials.
        session.Run("Set-McpToken other $args[0]", Secure("another"));
        Assert.Equal("secretmanagement:Store", session.Text("(Get-McpAuthStatus other).Vault"));
        Assert.Equal("x", Get(session, "a"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void First_secret_prints_the_vault_that_stores_it(bool credentialsInSecretManagement)
    {
        using var session = new ModuleSession(withSecretManagement: true);
        session.Run("$global:StandInVaults['Store'] = @{ IsDefault = $true; ModuleName = 'Some.Store'; Secrets = @{}; Mode = ''; AlwaysSecure = $false }");
        if (credentialsInSecretManagement)
        {
            session.Run("Add-McpServer my-api https://a.example/mcp; Set-McpToken my-api $args[0]", Secure("its-token"));
        }
        session.Host.Lines.Clear();
        Set(session, "a", "x");
        Assert.Empty(session.Errors);
        var place = JsonNode.Parse(File.ReadAllText(Path.Combine(session.Folder, "credentials.json")))!["secrets"]!.AsObject().Single().Value;
        var output = Assert.Single(session.Host.Lines, l => l.Contains("are stored in"));
        Assert.StartsWith($"Secrets of other tools are stored in the vault '{place}'", output);
        Assert.Equal(credentialsInSecretManagement, output.Contains("'secretmanagement:Store', the vault for credentials"));
        session.Host.Lines.Clear();
        Set(session, "b", "y");
        Assert.DoesNotContain(session.Host.Lines, l => l.Contains("are stored in"));
    }

    [Fact]
    public void Locked_file_throws_PasswordRequiredException_and_can_be_unlocked()
    {
        using var session = new ModuleSession();
        Environment.SetEnvironmentVariable("MCPSM_VAULT_PASSPHRASE", "the right one");
        session.Run("Add-McpServer my-api https://a.example/mcp; Set-McpToken my-api $args[0]", Secure("its-token"));
        Set(session, "a", "x");
        Environment.SetEnvironmentVariable("MCPSM_VAULT_PASSPHRASE", null);
        var locked = Assert.ThrowsAny<RuntimeException>(() => Get(session, "a"));
        Assert.IsType<PasswordRequiredException>(locked.InnerException);
        locked = Assert.ThrowsAny<RuntimeException>(() => Ask(session, "Unlock-SecretVault", new() { ["Password"] = Secure("a wrong one") }));
        Assert.Contains("the passphrase is wrong", Assert.IsType<PasswordRequiredException>(locked.InnerException).Message);
        Assert.ThrowsAny<RuntimeException>(() => Set(session, "a", "y"));
        Ask(session, "Unlock-SecretVault", new() { ["Password"] = Secure("the right one") });
        Assert.Empty(session.Errors);
        Assert.Equal("x", Get(session, "a"));
        Set(session, "a", "y");
        Assert.Equal("y", Get(session, "a"));
        Assert.Equal("its-token", session.Text("Get-McpToken my-api -AsPlainText"));
    }

    [Fact]
    public void Unlock_without_a_passphrase_is_a_warning()
    {
        using var session = new ModuleSession();
        Set(session, "a", "x");
        Ask(session, "Unlock-SecretVault", new() { ["Password"] = Secure("whatever") });
        Assert.Empty(session.Errors);
        Assert.Contains("The vault was not unlocked", Assert.Single(session.Warnings));
    }

    [Fact]
    public void Test_of_the_vault_writes_reads_and_removes_an_item()
    {
        using var session = new ModuleSession();
        Set(session, "a", "x");
        Assert.Equal(true, Assert.Single(Ask(session, "Test-SecretVault", [])).BaseObject);
        Assert.Single(List(session));
        File.WriteAllText(Path.Combine(session.Folder, "credentials.enc"), "damaged");
        Assert.Equal(false, Assert.Single(Ask(session, "Test-SecretVault", [])).BaseObject);
        Refused(session, "VaultCorrupt", "credentials.enc is damaged");
    }

    [Fact]
    public void Secret_appears_in_no_file_or_stream()
    {
        using var session = new ModuleSession();
        Set(session, "the-name", "the-secret-itself", new() { ["k"] = "the-metadata" });
        Ask(session, "Get-SecretInfo", new() { ["Filter"] = "*" });
        Set(session, "the-name", new Hashtable { ["k"] = "the-secret-itself" });
        Assert.DoesNotContain(session.Errors, e => e.ToString().Contains("the-secret-itself"));
        Assert.DoesNotContain(session.Host.Lines, l => l.Contains("the-secret-itself"));
        foreach (var file in Directory.EnumerateFiles(session.Folder, "*", SearchOption.AllDirectories))
        {
            Assert.DoesNotContain("the-", File.ReadAllText(file));
        }
    }

    [Fact]
    public void Nested_module_is_not_loaded_from_the_current_folder()
    {
        using var session = new ModuleSession();
        // A folder of the same name in the current folder must not be imported.
        var planted = Directory.CreateDirectory(Path.Combine(session.Folder, "Mcpsm.Extension"));
        File.WriteAllText(Path.Combine(planted.FullName, "Mcpsm.Extension.psm1"), "function Get-Secret { 'planted' }");
        Assert.Equal(Path.Combine(Path.GetDirectoryName(ModuleSession.Module)!, "Mcpsm.Extension", "Mcpsm.Extension.psm1"), session.Text("""
            Remove-Module Mcpsm
            Microsoft.PowerShell.Core\Set-Location $args[0] -ErrorAction Ignore
            $ExecutionContext.SessionState.Path.SetLocation($args[0]) | ForEach-Object { }
            Import-Module $args[1]
            (Get-Module Mcpsm).NestedModules.Where({ $_.Name -eq 'Mcpsm.Extension' }).Path
            """, session.Folder, ModuleSession.Module));
    }
}

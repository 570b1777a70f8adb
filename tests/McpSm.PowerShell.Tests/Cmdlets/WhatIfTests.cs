using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using McpSm.PowerShell.Tests.Support;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

[Collection(SerialCollection.Name)]
public sealed class WhatIfTests
{
    // Without WhatIf each line changes something in the session below.
    private static readonly Dictionary<string, string[]> Changes = new()
    {
        ["Add-McpServer"] = ["Add-McpServer c https://c.example/mcp"],
        ["Set-McpServer"] = ["Set-McpServer a -Url https://d.example/mcp -NewName d", "Get-McpServer | Set-McpServer -OAuth off"],
        ["Remove-McpServer"] = ["Remove-McpServer a", "Remove-McpServer * -Force"],
        ["Connect-McpServer"] = ["Connect-McpServer b", "Connect-McpServer -All", "Connect-McpServer -All -Force",
            "Connect-McpServer -Url https://e.example/mcp"],
        ["Disconnect-McpServer"] = ["Disconnect-McpServer a", "Disconnect-McpServer a -Force -Local"],
        ["Update-McpToken"] = ["Update-McpToken a"],
        ["Set-McpSetting"] = ["Set-McpSetting no-proxy a.example", "Set-McpSetting no-proxy $null"],
        ["Set-McpToken"] = ["Set-McpToken a ([securestring]::new())", "Set-McpToken a -FromEnvironment PATH"],
        ["Clear-McpToken"] = ["Clear-McpToken *"],
        ["Remove-McpClientRegistration"] = ["Remove-McpClientRegistration *"],
        ["Deny-McpToken"] = ["Deny-McpToken a ([securestring]::new())"],
        ["Set-McpVault"] = ["Set-McpVault file", "Set-McpVault file -Move", "Set-McpVault -NewKeyFile", "Set-McpVault -Passphrase ([securestring]::new())"],
        ["Import-McpCredential"] = ["Import-McpCredential", "Import-McpCredential b -Force"],
        ["Set-McpIdentityProvider"] = ["Set-McpIdentityProvider https://other.example -ClientId me",
            "Set-McpIdentityProvider https://other.example -ClientId me -ClientSecret ([securestring]::new())"],
        ["Remove-McpIdentityProvider"] = ["Remove-McpIdentityProvider", "Remove-McpIdentityProvider -Force"],
        ["Connect-McpIdentityProvider"] = ["Connect-McpIdentityProvider", "Connect-McpIdentityProvider -IdToken ([securestring]::new())"],
        ["Disconnect-McpIdentityProvider"] = ["Disconnect-McpIdentityProvider", "Disconnect-McpIdentityProvider -Force -Local"],
    };

    private static ModuleSession New()
    {
        var session = new ModuleSession();
        session.Run("Add-McpServer a https://a.example/mcp; Add-McpServer b https://b.example/mcp; Set-McpToken a $args[0]",
            new NetworkCredential("", "its-token").SecurePassword);
        var config = Path.Combine(session.Folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("https://b.example/mcp\"", "https://b.example/mcp\", \"bearerToken\": \"plain-token\""));
        Assert.Equal("2", session.Text("(Get-McpServer).Count"));
        const string Provider = "https://idp.example";
        session.Run("Set-McpIdentityProvider $args[0] -ClientId me", Provider);
        // Add a session with the provider to the index.
        var facts = Path.Combine(session.Folder, "credentials.json");
        var known = JsonNode.Parse(File.ReadAllText(facts))!;
        var item = "mcpsmidp-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Provider)))[..16];
        known["identities"] = new JsonObject
        {
            [item] = new JsonObject { ["issuer"] = Provider, ["vault"] = "file", ["signedInAt"] = "2026-01-01T00:00:00Z", ["canRenew"] = true },
        };
        File.WriteAllText(facts, known.ToJsonString());
        Assert.Equal("True", session.Text("(Get-McpIdentityProvider).SignedIn"));
        session.Host.Lines.Clear();
        return session;
    }

    [Fact]
    public void Cmdlet_that_changes_something_supports_WhatIf_and_Confirm()
    {
        using var session = new ModuleSession();
        var able = session.Run("(Get-Command -Module Mcpsm -CommandType Cmdlet)"
            + ".Where({ $_.Parameters.ContainsKey('WhatIf') -and $_.Parameters.ContainsKey('Confirm') }).Name");
        Assert.Equal(Changes.Keys.Order(), able.Select(o => o.ToString()).Order());
        var all = session.Run("(Get-Command -Module Mcpsm -CommandType Cmdlet).Name").Select(o => o.ToString()!);
        Assert.All(all.Except(Changes.Keys), name => Assert.Matches("^(Get|Test)-", name));
    }

    public static TheoryData<string> Lines => [.. Changes.Values.SelectMany(l => l)];

    [Theory]
    [MemberData(nameof(Lines))]
    public void WhatIf_prints_the_operation_and_changes_nothing(string line)
    {
        using var session = New();
        var before = Files(session);
        Assert.Empty(session.Run(line + " -WhatIf"));
        Assert.Empty(session.Errors);
        Assert.All(session.Host.Lines, l => Assert.StartsWith("What if: Performing the operation ", l));
        Assert.NotEmpty(session.Host.Lines);
        Assert.DoesNotContain(session.Host.Lines, l => l.Contains("-token"));
        Assert.Empty(session.Run("$WhatIfPreference = $true; " + line));
        Assert.Equal(before, Files(session));
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public void Declined_confirmation_changes_nothing(string line)
    {
        using var session = New();
        var before = Files(session);
        for (var i = 0; i < 4; i++)
        {
            session.Host.Typed.Enqueue("n");
        }
        Assert.Empty(session.Run(line + " -Confirm"));
        Assert.Empty(session.Errors);
        Assert.True(session.Host.Typed.Count < 4);
        Assert.Equal(before, Files(session));
    }

    private static Dictionary<string, string> Files(ModuleSession session) =>
        Directory.EnumerateFiles(session.Folder).ToDictionary(f => f, f => Convert.ToHexString(File.ReadAllBytes(f)));
}

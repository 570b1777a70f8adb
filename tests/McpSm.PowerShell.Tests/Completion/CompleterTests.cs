using System.Diagnostics;
using System.Management.Automation;
using System.Text.Json.Nodes;
using McpSm.PowerShell.Tests.Support;
using Xunit;

namespace McpSm.PowerShell.Tests.Completion;

/// <summary>Tests of completion for the parameters of cmdlets and for <c>mcpsm</c> in the session.</summary>
[Collection(SerialCollection.Name)]
public sealed class CompleterTests
{
    private static ModuleSession WithServers(int more = 0)
    {
        var session = new ModuleSession();
        File.WriteAllText(Path.Combine(session.Folder, "config.json"), new JsonObject
        {
            ["remoteServers"] = new JsonArray(
            [
                Server("my-api", "my-api", "mcp:read", "it's $(throw)"), Server("evil", "$(throw) 'x'"), Server("twin-1", "twin"), Server("twin-2", "twin"),
                .. Enumerable.Range(0, more).Select(i => Server($"s-{i}", $"s-{i}", $"scope-{i % 20}")),
            ]),
        }.ToJsonString());
        File.WriteAllText(Path.Combine(session.Folder, "credentials.json"), """
            {"version":1,"servers":{"my-api":{"vault":"file","kind":"OAuth","url":"https://my-api.example/mcp",
            "issuer":"https://issuer.example/?a&b","scopes":["mcp:read","openid"]}}}
            """);
        File.WriteAllText(Path.Combine(session.Folder, "settings.json"),
            """{"vault":"secretmanagement:Store","identityProvider":{"issuer":"https://login.example"}}""");
        return session;
    }

    private static JsonNode Server(string id, string name, params string[] scopes) => new JsonObject
    {
        ["id"] = id,
        ["name"] = name,
        ["type"] = "http",
        ["url"] = $"https://{id}.example/mcp",
        ["oauth"] = new JsonObject { ["authServerUrl"] = "https://pinned.example", ["scopes"] = new JsonArray([.. scopes.Select(s => (JsonNode)s)]) },
    };

    private static List<CompletionResult> Complete(ModuleSession session, string line) => [.. session.Run(
        "(TabExpansion2 $args[0] $args[0].Length).CompletionMatches", line).Select(o => (CompletionResult)o.BaseObject)];

    [Theory]
    [InlineData("Get-McpServer my", "my-api")]
    [InlineData("Connect-McpServer -Name my", "my-api")]
    [InlineData("Get-McpToken '$(", "'$(throw) ''x'''")]
    [InlineData("Get-McpAuthStatus tw", "twin-1 twin-2")]
    [InlineData("Remove-McpServer my-api, ev", "'$(throw) ''x'''")]
    [InlineData("Connect-McpServer my-api -Vault f", "file")]
    [InlineData("Set-McpToken my-api -Vault secretm", "secretmanagement:Store")]
    [InlineData("Import-McpCredential -Vault f", "file")]
    [InlineData("Set-McpVault secretm", "secretmanagement:Store")]
    [InlineData("Get-McpVault f", "file")]
    [InlineData("Get-McpSetting ca", "ca-file")]
    [InlineData("Set-McpSetting pro", "proxy")]
    [InlineData("Set-McpServer my-api -Issuer ", "https://pinned.example 'https://issuer.example/?a&b'")]
    [InlineData("Add-McpServer new https://new.example -Issuer https://i", "'https://issuer.example/?a&b'")]
    [InlineData("Set-McpIdentityProvider ", "https://login.example")]
    [InlineData("Set-McpIdentityProvider https://new.example -Scope mcp", "mcp:read")]
    [InlineData("Connect-McpIdentityProvider -Vault secretm", "secretmanagement:Store")]
    [InlineData("Set-McpServer my-api -Scope openid, ", "mcp:read 'it''s $(throw)' openid")]
    [InlineData("Set-McpServer my-api -Scope it", "'it''s $(throw)'")]
    [InlineData("mcpsm auth tok", "token")]
    [InlineData("mcpsm auth login ", "evil my-api twin-1 twin-2")]
    [InlineData("Invoke-Mcpsm auth login my", "my-api")]
    [InlineData("$x = 1; mcpsm add new --scope it", "'it''s $(throw)'")]
    [InlineData("mcpsm auth login my-api --vault=secretm", "'--vault=secretmanagement:Store'")]
    public void Names_are_completed_from_the_files_and_quoted_if_needed(string line, string expected)
    {
        using var session = WithServers();
        var results = Complete(session, line);
        Assert.Equal(expected, string.Join(' ', results.Select(r => r.CompletionText)));
        Assert.All(results, r => Assert.NotEqual("", r.ToolTip));
        Assert.Empty(session.Errors);
        Assert.Empty(session.Host.Lines);
    }

    [Theory]
    [InlineData("Get-McpServer my", "https://my-api.example/mcp")]
    [InlineData("Connect-McpServer my-api -Vault f", "keeps the credential of 1 server")]
    [InlineData("Connect-McpServer my-api -Vault secretm", "keeps no credential; in use")]
    [InlineData("Set-McpServer my-api -Issuer https://i", "used by my-api")]
    [InlineData("Set-McpServer my-api -Issuer https://p", "used by my-api, $(throw) 'x', twin, …")]
    [InlineData("Set-McpServer my-api -Scope o", "used by my-api")]
    [InlineData("mcpsm auth tok", "Print a valid access token; renew it first if necessary")]
    public void Tool_tip_describes_the_candidate(string line, string expected)
    {
        using var session = WithServers();
        Assert.Equal(expected, Assert.Single(Complete(session, line)).ToolTip);
    }

    [Fact]
    public void Every_parameter_with_known_values_has_a_completer()
    {
        using var session = new ModuleSession();
        var without = session.Run("""
            foreach ($command in Get-Command -Module Mcpsm -CommandType Cmdlet) {
                foreach ($name in 'Name', 'Vault', 'Issuer', 'Scope') {
                    $parameter = $command.Parameters[$name]
                    if ($parameter -and -not $parameter.Attributes.Where({ $_ -is [ArgumentCompleter] })) { "$command -$name" }
                }
            }
            """);
        // A new name cannot be completed.
        Assert.Equal(["Add-McpServer -Name"], without.Select(o => o.ToString()));
    }

    [Fact]
    public void Damaged_files_complete_nothing_and_print_nothing()
    {
        using var session = WithServers();
        foreach (var file in new[] { "config.json", "credentials.json", "settings.json" })
        {
            File.WriteAllText(Path.Combine(session.Folder, file), "{");
        }
        foreach (var line in new[] { "Get-McpServer ", "Set-McpServer a -Issuer https://", "Set-McpServer a -Scope m", "mcpsm auth login my" })
        {
            Assert.DoesNotContain(Complete(session, line), r => r.ResultType == CompletionResultType.ParameterValue);
            Assert.Empty(session.Errors);
        }
        Assert.Equal("file", Complete(session, "Set-McpVault f")[0].CompletionText);
        Assert.Empty(session.Host.Lines);
    }

    [Fact]
    public void Completion_leaves_LASTEXITCODE_unchanged()
    {
        using var session = WithServers();
        session.Run("$global:LASTEXITCODE = 7");
        Assert.NotEmpty(Complete(session, "mcpsm auth "));
        Assert.Equal("7", session.Text("$LASTEXITCODE"));
    }

    [Theory]
    [InlineData("Get-McpAuthStatus ", 1004)]
    [InlineData("Connect-McpServer my-api -Vault ", 3)]
    [InlineData("Set-McpServer my-api -Issuer ", 2)]
    [InlineData("Set-McpServer my-api -Scope ", 23)]
    [InlineData("mcpsm auth login ", 1004)]
    public void Completion_of_a_thousand_servers_is_fast(string line, int expected)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || expected != 3, "Other systems have other vaults.");
        using var session = WithServers(1000);
        var fastest = TimeSpan.MaxValue;
        for (var i = 0; i < 8; i++)
        {
            var clock = Stopwatch.StartNew();
            Assert.Equal(expected, Complete(session, line).Count);
            fastest = clock.Elapsed < fastest ? clock.Elapsed : fastest;
        }
        TestContext.Current.TestOutputHelper!.WriteLine($"{fastest.TotalMilliseconds:0.0} ms");
        // It takes under 50 ms on an idle machine; other tests run at the same time here.
        Assert.True(fastest < TimeSpan.FromMilliseconds(200), $"{fastest.TotalMilliseconds} ms");
    }
}

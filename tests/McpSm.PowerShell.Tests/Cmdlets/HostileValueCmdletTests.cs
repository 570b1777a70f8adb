using System.Globalization;
using System.Text.Json.Nodes;
using McpSm.PowerShell.Tests.Errors;
using McpSm.PowerShell.Tests.Support;
using McpSm.TestServers;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

/// <summary>Tests of hostile values in files and responses: sanitized in the streams of the module, unchanged in its objects.</summary>
[Collection(SerialCollection.Name)]
public sealed class HostileValueCmdletTests
{
    private const string Evil = "\u001b[2J\u001b]8;;https://evil.example\u0007x\u009b31m\u202e\u2066\u2028\r\n\u0001$(id)`id`;'\"";

    [Theory]
    [InlineData("Get-McpAuthStatus")]
    [InlineData("Get-McpToken '-rf'")]
    [InlineData("Connect-McpServer '-rf' -NonInteractive -Verbose")]
    [InlineData("Connect-McpServer quiet -NonInteractive -Verbose")]
    [InlineData("Update-McpToken '-rf'")]
    [InlineData("Disconnect-McpServer '-rf' -Force")]
    [InlineData("Test-McpServer -TimeoutSec 2")]
    [InlineData("Import-McpCredential")]
    [InlineData("Get-McpVault nosuch")]
    [InlineData("Set-McpVault file")]
    [InlineData("Set-McpServer quiet -Url https://b.example/mcp")]
    [InlineData("Remove-McpServer '-rf' -Force")]
    [InlineData("Get-McpServer \"nosuch`e]0;x`a\"")]
    [InlineData("mcpsm auth status")]
    [InlineData("mcpsm list")]
    public void Stream_has_no_terminal_control_characters(string line)
    {
        using var session = WithFiles();
        session.Run($"$null = {line}");
        foreach (var output in session.Warnings.Concat(session.Host.Lines).Concat(session.Errors.Select(e => $"{e} {e.ErrorDetails?.RecommendedAction}")))
        {
            Assert.False(output.Any(IsHidden), System.Uri.EscapeDataString(output));
        }
    }

    [Fact]
    public void Pipeline_object_keeps_hostile_values()
    {
        using var session = WithFiles();
        Assert.Equal($"https://a.example/{Evil}", session.Run("(Get-McpServer '-rf').Url")[0].BaseObject);
        Assert.Equal([Evil], session.Run("(Get-McpServer '-rf').Scopes").Select(o => (string)o.BaseObject));
    }

    [Fact]
    public void Suggested_command_finds_a_server_named_like_an_option()
    {
        using var session = WithFiles();
        var remedy = Assert.Single(session.Run("(Get-McpAuthStatus -Name '--json').Remedy")).BaseObject;
        Assert.Equal("Connect-McpServer '--json'", remedy);
        session.Run("mcpsm remove --yes \"--\" --json");
        Assert.Empty(session.Run("Get-McpServer | Where-Object Id -eq '--json'"));
    }

    [Fact]
    public async Task Header_accepts_a_SecureString_and_refuses_other_objects()
    {
        await using var server = await TestMcpServer.StartAsync(new TestMcpServerOptions { Open = true });
        using var session = new ModuleSession();
        session.Run("Add-McpServer my-api $args[0] -Header @{ 'X-Key' = $args[1]; 'X-Team' = 'blue'; 'X-Version' = 2 }", server.McpUrl.AbsoluteUri,
            ErrorFixture.Secure("header-secret"));
        Assert.Equal("True", session.Text("(Test-McpServer my-api).Success"));
        var request = server.Traffic.To("/mcp")[^1];
        Assert.Equal(("header-secret", "blue", "2"), (request.Header("X-Key"), request.Header("X-Team"), request.Header("X-Version")));
        session.Run("Set-McpServer my-api -Header @{ 'X-Key' = @('a', 'b') }");
        var error = Assert.Single(session.Errors);
        Assert.StartsWith("InvalidValue", error.FullyQualifiedErrorId);
        Assert.Contains("SecureString", error.ErrorDetails.RecommendedAction);
    }

    private static ModuleSession WithFiles()
    {
        var session = new ModuleSession();
        var servers = new JsonArray(
            new JsonObject
            {
                ["id"] = "-rf",
                ["name"] = Evil,
                ["url"] = $"https://a.example/{Evil}",
                ["headers"] = new JsonObject { [$"X-Token-{Evil}"] = "secret-9" },
                ["oauth"] = new JsonObject { ["clientId"] = Evil, ["scopes"] = new JsonArray(Evil), ["authServerUrl"] = $"https://i.example/{Evil}" },
            },
            new JsonObject { ["id"] = "--json", ["name"] = "--json", ["url"] = "http://127.0.0.1:1/mcp" },
            new JsonObject
            {
                ["id"] = "quiet",
                ["name"] = "quiet",
                ["url"] = "http://127.0.0.1:1/mcp",
                ["headers"] = new JsonObject { [Evil] = "key-0123456789-0123456789" },
            });
        File.WriteAllText(Path.Combine(session.Folder, "config.json"), new JsonObject { ["remoteServers"] = servers }.ToJsonString());
        File.WriteAllText(Path.Combine(session.Folder, "oauth-tokens.json"),
            new JsonObject { [Evil] = new JsonObject { ["accessToken"] = "t" } }.ToJsonString());
        return session;
    }

    private static bool IsHidden(char c) => c != '\n' && char.GetUnicodeCategory(c) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}

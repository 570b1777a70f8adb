using McpSm.PowerShell.Tests.Support;
using Xunit;

namespace McpSm.PowerShell.Tests.Cmdlets;

[Collection(SerialCollection.Name)]
public sealed class ImportCmdletTests : IDisposable
{
    private const string Config = """
        { "remoteServers": [
            { "id": "bearer", "name": "Bearer", "type": "http", "url": "https://bearer.example/mcp", "bearerToken": "bearer-secret" },
            { "id": "client", "name": "client", "type": "http", "url": "https://client.example/mcp",
              "oauth": { "enabled": true, "clientId": "my-client", "clientSecret": "client-secret" }, "headers": { "X-Api-Key": "header-secret" } },
            { "id": "none", "name": "none", "type": "http", "url": "https://none.example/mcp" }
          ] }
        """;

    private readonly ModuleSession _session = new();

    public ImportCmdletTests()
    {
        File.WriteAllText(Path.Combine(_session.Folder, "config.json"), Config);
        File.WriteAllText(Path.Combine(_session.Folder, "oauth-tokens.json"), """{"gone":{"accessToken":"of-no-server"}}""");
    }

    public void Dispose() => _session.Dispose();

    private string Now => File.ReadAllText(Path.Combine(_session.Folder, "config.json"));

    [Fact]
    public void Import_with_WhatIf_names_each_server_and_secret()
    {
        Assert.Empty(_session.Run("Import-McpCredential -WhatIf"));
        Assert.Equal([
            "What if: Performing the operation \"Move bearer token in config.json to the vault\" on target \"Bearer\".",
            "What if: Performing the operation \"Move client secret in config.json, header X-Api-Key in config.json to the vault\" on target \"client\".",
        ], _session.Host.Lines.Where(l => l.StartsWith("What if")));
        Assert.Equal("oauth-tokens.json contains tokens of 'gone', but no server has that name. They were not imported.", Assert.Single(_session.Warnings));
        Assert.Equal(Config, Now);
    }

    [Fact]
    public void Import_emits_an_object_for_each_secret()
    {
        Assert.Equal("config.json Import-McpCredential Bearer",
            _session.Text("Get-McpAuthStatus bearer | ForEach-Object { \"$($_.PlaintextFile) $($_.Remedy)\" }"));
        Assert.Equal("""
            bearer BearerToken  file True config.json
            client ClientSecret  file True config.json
            client Header X-Api-Key file True config.json
            """.ReplaceLineEndings("\n"), _session.Text("""
            Import-McpCredential | ForEach-Object {
                "$($_.Id) $($_.Kind) $($_.Header) $($_.Vault) $($_.Removed) $([System.IO.Path]::GetFileName($_.File))"
            }
            """));
        Assert.Empty(_session.Errors);
        Assert.DoesNotContain("secret\"", Now.Replace("clientSecret", ""));
        Assert.Equal("bearer-secret", _session.Text("Get-McpToken bearer -AsPlainText"));
        Assert.Empty(_session.Run("Import-McpCredential"));
    }

    [Fact]
    public void Import_takes_servers_by_name_or_from_the_pipeline()
    {
        Assert.Equal("client client", _session.Text("(Import-McpCredential c*).Id -join ' '"));
        Assert.Equal("bearer", _session.Text("('none', (Get-McpServer Bearer) | Import-McpCredential).Id"));
        _session.Run("Import-McpCredential nosuch");
        Assert.StartsWith("ServerNotFound,", Assert.Single(_session.Errors).FullyQualifiedErrorId);
    }

    [Fact]
    public void Import_over_an_existing_secret_needs_force_to_remove_the_plaintext()
    {
        _session.Run("Import-McpCredential bearer");
        File.WriteAllText(Path.Combine(_session.Folder, "config.json"), Config.Replace("bearer-secret", "another-secret"));
        Assert.Equal("False ", _session.Text("Import-McpCredential bearer | ForEach-Object { \"$($_.Removed) $($_.Vault)\" }"));
        Assert.Contains("was not removed: the vault has another secret in its place", Assert.Single(_session.Warnings));
        Assert.Contains("another-secret", Now);
        Assert.Equal("True", _session.Text("(Import-McpCredential bearer -Force).Removed"));
        Assert.DoesNotContain("another-secret", Now);
        Assert.Equal("bearer-secret", _session.Text("Get-McpToken bearer -AsPlainText"));
    }

    [Fact]
    public void Failing_vault_is_an_error_for_each_server_and_leaves_the_plaintext()
    {
        _session.Run("Import-McpCredential -Vault nosuch");
        Assert.Equal(["Bearer", "client"], _session.Errors.Select(e => e.TargetObject));
        Assert.All(_session.Errors, e => Assert.StartsWith("VaultUnavailable,", e.FullyQualifiedErrorId));
        Assert.Equal(Config, Now);
    }
}

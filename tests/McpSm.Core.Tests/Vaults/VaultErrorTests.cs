using System.Runtime.Versioning;
using McpSm.Core.Configuration;
using McpSm.Core.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.EncryptedFile;
using McpSm.TestServers;
using Xunit;

namespace McpSm.Core.Tests.Vaults;

/// <summary>Errors of a vault name the vault.</summary>
[Collection(KeyringCollection.Name)]
public sealed class VaultErrorTests
{
    [Theory]
    [InlineData("locked", ErrorReason.VaultLocked)]
    [InlineData("wrong passphrase", ErrorReason.VaultLocked)]
    [InlineData("damaged", ErrorReason.VaultCorrupt)]
    [InlineData("key file", ErrorReason.VaultCorrupt)]
    [InlineData("folder", ErrorReason.ConfigurationUnavailable)]
    public async Task File_vault_error_of_any_call_names_the_vault(string fault, ErrorReason reason)
    {
        using var work = new TestEnvironment();
        if (fault is "locked" or "wrong passphrase")
        {
            work.Variables["MCPSM_VAULT_PASSPHRASE"] = "right";
        }
        await new EncryptedFileVault(work.Home).SetAsync("mcpsm-a", "kept", Cancellation);
        Break(work, fault);
        var vault = new VaultSelector(work.Home, [], _ => { }).Find("file");
        foreach (var call in Calls(vault))
        {
            var e = await Assert.ThrowsAsync<McpAuthException>(call);
            Assert.Equal((reason, "file"), (e.Reason, e.Vault));
        }
        Assert.Equal("file", (await Assert.ThrowsAsync<McpAuthException>(() => work.New().Vaults.RekeyFileAsync("new", Cancellation))).Vault);
    }

    [Fact]
    public async Task File_vault_error_about_its_passphrase_names_the_vault()
    {
        using var work = new TestEnvironment();
        await new EncryptedFileVault(work.Home).SetAsync("mcpsm-a", "kept", Cancellation);
        work.Variables["MCPSM_VAULT_PASSPHRASE"] = "right";
        var vault = new VaultSelector(work.Home, [], _ => { }).Find("file");
        Assert.Equal("file", Assert.Throws<McpAuthException>(vault.RequireTakesNewSecrets).Vault);
        Assert.Equal("file", (await Assert.ThrowsAsync<McpAuthException>(() => vault.SetAsync("mcpsm-b", "x", Cancellation))).Vault);
        await work.New().Vaults.RekeyFileAsync("right", Cancellation);
        Assert.Equal("file", Assert.Throws<McpAuthException>(() => work.New().Secrets.Unlock("wrong")).Vault);
        Break(work, "damaged");
        Assert.Equal("file", Assert.Throws<McpAuthException>(() => work.New().Vaults.FileUsesPassphrase).Vault);
    }

    [Fact]
    public async Task File_vault_error_about_pending_items_names_the_vault()
    {
        using var work = new TestEnvironment();
        work.Variables["MCPSM_VAULT_PASSPHRASE"] = "right";
        var file = new EncryptedFileVault(work.Home);
        await file.PendingForOthers.SetAsync(new PendingItem("memory", "mcpsm-my-api", "", "kept"), Cancellation);
        work.Variables.Remove("MCPSM_VAULT_PASSPHRASE");
        var vault = new VaultWithFallback(new MemoryVault(), new EncryptedFileVault(work.Home).PendingForOthers);
        Assert.Equal("file", (await Assert.ThrowsAsync<McpAuthException>(() => vault.GetAsync("mcpsm-my-api", Cancellation))).Vault);
        Assert.Equal("file", (await Assert.ThrowsAsync<McpAuthException>(() => vault.NamesAsync(Cancellation))).Vault);
    }

    [Fact]
    public async Task Vault_error_about_its_content_names_the_vault()
    {
        using var work = new TestEnvironment();
        var server = await work.AddAsync(new Uri("https://a.example/mcp"));
        var memory = new MemoryVault();
        var auth = MemoryVault.CreateAuthenticator(work, memory);
        await auth.Servers.SetTokenAsync(server, "kept", "memory", Cancellation);
        memory.Items["mcpsm-my-api"] = "not ours";
        var e = await Assert.ThrowsAsync<McpAuthException>(() => auth.Tokens.GetTokenAsync(server, Cancellation));
        Assert.Equal((ErrorReason.VaultCorrupt, "memory"), (e.Reason, e.Vault));
        memory.ForgetsWrites = true;
        e = await Assert.ThrowsAsync<McpAuthException>(() => auth.Vaults.UseAsync("memory", Cancellation));
        Assert.Equal((ErrorReason.VaultUnavailable, "memory"), (e.Reason, e.Vault));
    }

    [Theory]
    [InlineData(ErrorReason.SecretTooLarge)]
    [InlineData(ErrorReason.VaultUnavailable)]
    [InlineData(ErrorReason.SecretManagementMissing)]
    public async Task Vault_error_of_a_refused_call_names_the_vault(ErrorReason reason)
    {
        using var work = new TestEnvironment();
        var vault = new VaultWithFallback(new MemoryVault { FailsWith = reason, FailsAfter = 0 }, new EncryptedFileVault(work.Home).PendingForOthers);
        foreach (var call in Calls(vault))
        {
            var e = await Assert.ThrowsAsync<McpAuthException>(call);
            Assert.Equal((reason, "memory"), (e.Reason, e.Vault));
        }
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task Keyring_error_if_locked_or_unresponsive_names_the_vault()
    {
        await using var keyring = await Keyring.StartAsync();
        using var work = new TestEnvironment();
        var environment = new AppEnvironment(name => work.Variables.GetValueOrDefault(name) ?? keyring.Variables.GetValueOrDefault(name));
        var vault = new VaultSelector(environment, [], _ => { }).Find("secret-service");
        await keyring.LockAsync();
        await AllAsync(ErrorReason.VaultLocked);
        await keyring.StopServiceAsync();
        await AllAsync(ErrorReason.VaultUnavailable);

        async Task AllAsync(ErrorReason reason)
        {
            foreach (var call in Calls(vault))
            {
                var e = await Assert.ThrowsAsync<McpAuthException>(call);
                Assert.Equal((reason, "secret-service"), (e.Reason, e.Vault));
            }
        }
    }

    private static Func<Task>[] Calls(IVault vault) =>
    [
        () => vault.GetAsync("mcpsm-a", default), () => vault.SetAsync("mcpsm-a", "other", default), () => vault.ReplaceAsync("mcpsm-a", "other", default),
        () => vault.RemoveAsync("mcpsm-a", default), () => vault.NamesAsync(default), () => VaultSelfTest.RunAsync(vault, default),
    ];

    private static void Break(TestEnvironment work, string fault)
    {
        var path = work.Home.PathOf("credentials.enc");
        switch (fault)
        {
            case "locked":
                work.Variables.Remove("MCPSM_VAULT_PASSPHRASE");
                break;
            case "wrong passphrase":
                work.Variables["MCPSM_VAULT_PASSPHRASE"] = "wrong";
                break;
            case "damaged":
                File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);
                break;
            case "key file":
                File.WriteAllText(work.Home.PathOf("credentials.key"), "not a key");
                break;
            case "folder":
                File.Delete(path);
                Directory.CreateDirectory(path);
                break;
        }
    }
}

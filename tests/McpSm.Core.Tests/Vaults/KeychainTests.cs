using McpSm.Core.Errors;
using McpSm.Core.Tests.Support;
using McpSm.Core.Vaults;
using McpSm.Core.Vaults.MacOS;
using McpSm.Core.Vaults.Windows;
using Xunit;

namespace McpSm.Core.Tests.Vaults;

/// <summary>Our part of the Keychain vault, which is the list of names. The Keychain itself exists only on macOS.</summary>
public sealed class KeychainTests : IDisposable
{
    private readonly TestEnvironment _work = new();
    private readonly MemoryKeychain _keychain = new();

    private KeychainVault Vault => new(_work.Home, _keychain);

    private string NamesFile => Path.Combine(_work.Folder, "keychain.json");

    public void Dispose() => _work.Dispose();

    [Fact]
    public async Task Names_of_the_items_are_listed_and_no_file_holds_a_secret()
    {
        await Vault.SetAsync("mcpsm-a", "secret-planted", Cancellation);
        await Vault.SetAsync("mcpsm-b", "b", Cancellation);
        await Vault.SetAsync("mcpsm-a", "secret-planted-2", Cancellation);
        Assert.Equal(["mcpsm-a", "mcpsm-b"], await Vault.NamesAsync(Cancellation));
        Assert.Equal("secret-planted-2", await Vault.GetAsync("mcpsm-a", Cancellation));
        Assert.All(Directory.EnumerateFiles(_work.Folder, "*", SearchOption.AllDirectories), f => Assert.DoesNotContain("planted", File.ReadAllText(f)));
        Assert.True(await Vault.RemoveAsync("mcpsm-a", Cancellation));
        Assert.False(await Vault.RemoveAsync("mcpsm-a", Cancellation));
        Assert.Null(await Vault.GetAsync("mcpsm-a", Cancellation));
        Assert.Equal(["mcpsm-b"], await Vault.NamesAsync(Cancellation));
    }

    [Fact]
    public async Task Name_is_listed_before_its_item_exists_and_until_it_is_removed()
    {
        _keychain.IsLocked = true;
        await Assert.ThrowsAsync<McpAuthException>(() => Vault.SetAsync("mcpsm-a", "a", Cancellation));
        Assert.Equal(["mcpsm-a"], await Vault.NamesAsync(Cancellation));
        _keychain.IsLocked = false;
        Assert.Null(await Vault.GetAsync("mcpsm-a", Cancellation));
        await Vault.SetAsync("mcpsm-a", "a", Cancellation);
        _keychain.IsLocked = true;
        await Assert.ThrowsAsync<McpAuthException>(() => Vault.RemoveAsync("mcpsm-a", Cancellation));
        Assert.Equal(["mcpsm-a"], await Vault.NamesAsync(Cancellation));
    }

    [Fact]
    public async Task Concurrent_changes_lose_no_name()
    {
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => Vault.SetAsync($"mcpsm-{i}", "x", default))));
        await Task.WhenAll(Enumerable.Range(0, 10).Select(i => Task.Run(() => Vault.RemoveAsync($"mcpsm-{i}", default))));
        Assert.Equal(Enumerable.Range(10, 10).Select(i => $"mcpsm-{i}"), await Vault.NamesAsync(Cancellation));
    }

    [Fact]
    public async Task Damaged_names_file_is_reported_and_kept_and_items_are_readable()
    {
        await Vault.SetAsync("mcpsm-a", "a", Cancellation);
        foreach (var damage in new[] { "", "{", "[]", "{}", """{"names":"a"}""", """{"names":[1]}""" })
        {
            File.WriteAllText(NamesFile, damage);
            Func<Task>[] acts = [() => Vault.SetAsync("mcpsm-b", "b", default), () => Vault.RemoveAsync("mcpsm-a", default), () => Vault.NamesAsync(default)];
            foreach (var act in acts)
            {
                var e = await Assert.ThrowsAsync<McpAuthException>(act);
                Assert.Equal((ErrorReason.ConfigurationCorrupt, true), (e.Reason, e.Message.Contains("keychain.json")));
            }
            Assert.Equal("a", await Vault.GetAsync("mcpsm-a", Cancellation));
            Assert.Equal(damage, File.ReadAllText(NamesFile));
        }
        Assert.Single(_keychain.Passwords);
    }

    [Fact]
    public async Task Accounts_are_ASCII_and_differ_by_folder()
    {
        using var other = new TestEnvironment();
        other.Variables["MCPSM_CONFIG_DIR"] = Path.Combine(other.Folder, "my küche");
        await Vault.SetAsync("mcpsm-a", "a", Cancellation);
        await new KeychainVault(other.Home, _keychain).SetAsync("mcpsm-a", "b", Cancellation);
        Assert.Equal([$"{_work.Folder}:mcpsm-a", $"{other.Folder}/my%20k%C3%BCche:mcpsm-a"], _keychain.Passwords.Keys.OrderBy(k => k.Length));
        Assert.Equal("a", await Vault.GetAsync("mcpsm-a", Cancellation));
    }

    [Fact]
    public async Task Empty_text_is_refused_and_invalid_UTF8_is_damage()
    {
        Assert.Equal(ErrorReason.InvalidValue, (await Assert.ThrowsAsync<McpAuthException>(() => Vault.SetAsync("mcpsm-a", "", Cancellation))).Reason);
        Assert.Empty(await Vault.NamesAsync(Cancellation));
        _keychain.Passwords[$"{_work.Folder}:mcpsm-a"] = [0xff];
        Assert.Equal(ErrorReason.VaultCorrupt, (await Assert.ThrowsAsync<McpAuthException>(() => Vault.GetAsync("mcpsm-a", Cancellation))).Reason);
    }

    [Fact]
    public async Task Keychain_library_is_not_loaded_for_another_vault()
    {
        Assert.SkipWhen(OperatingSystem.IsMacOS(), "Here the Keychain is this system's own store.");
        var server = await _work.AddAsync(new Uri("https://a.example/mcp"));
        await _work.Authenticator.Servers.SetTokenAsync(server, "token", "file", Cancellation);
        await _work.Authenticator.Vaults.ListAsync(Cancellation);
        Assert.DoesNotContain(AppDomain.CurrentDomain.GetAssemblies(), a => a.GetName().Name == "Microsoft.Identity.Client.Extensions.Msal");
    }

    [Theory]
    [InlineData(KeychainVault.VaultName)]
    [InlineData(CredentialManagerVault.VaultName)]
    public void Vault_of_another_system_is_reported_as_missing(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsMacOS() || OperatingSystem.IsWindows(), "One of the two is this system's own.");
        var e = Assert.Throws<McpAuthException>(() => new VaultSelector(_work.Home, [], _ => { }).Find(name));
        Assert.Equal((ErrorReason.VaultUnavailable, $"The vault '{name}' does not exist on this system."), (e.Reason, e.Message));
    }
}
